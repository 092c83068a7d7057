// "ResNet50" of Packrat's scaling benchmark. The page has plots and no figures: latency and
// throughput over 1 to 16 threads, each batch a plot, then all in one.

extension PublishedTable {
  /// ResNet-50 over batches and threads.
  public static let packrat = PublishedTable(
    name: "packrat", title: "ResNet50 over batches and threads",
    source: "Packrat, scalebench, ResNet50 (plots without figures)", machine: "16 cores",
    method: "A fresh process for each point, pinned to its cores; one image, copied batch times; "
      + "10 warm-ups, then 100 iterations: mean with shortest and longest. \"Script\" is the "
      + "frozen and optimised graph, here the compiled execution.",
    peers: .sections,
    sections: [
      section("Latency (Sequential), Per Batch (ms)") { .figure(.range, of: $0, published: nil) },
      section("Throughput (Sequential), Per Batch (images/s)") {
        .figure(.imagesPerSecond, of: $0, published: nil)
      },
      section("Speedup over one thread") { cell in
        var single = cell
        single.threads = 1
        return .speedUp(of: cell, over: single, by: .mean, published: nil)
      },
    ])

  private static let batches = (0...10).map { 1 << $0 }
  private static let threads = Array(1...16)

  private static func section(_ title: String, _ entry: (PublishedCell) -> Entry) -> Section {
    Section(
      title, corner: "batch size",
      columns: threads.map { $0 == 1 ? "1 thread" : "\($0) threads" },
      rows: batches.map { batch in
        Row(
          "\(batch)",
          threads.map { threads in
            entry(
              PublishedCell(
                "resnet50", batch: batch, threads: threads,
                rules: PublishedRules(warmUps: 10, iterations: 100)))
          })
      })
  }
}
