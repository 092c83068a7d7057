import ApusBench

/// Rows as a sweep leaves them, the same every time.
enum SampleRuns {
  /// A measured row, whose iterations took about `median` milliseconds.
  static func row(
    _ model: String, batch: Int, execution: String = "compiled", threads: Int? = 2,
    median: Double, mode: String = "infer", mebibytes: Int? = nil
  ) -> BenchRow {
    var row = BenchRow(status: .ok, model: model, mode: mode)
    (row.batchSize, row.execution, row.threads, row.device) = (batch, execution, threads, "cpu")
    row.precision = "fp32"
    let times = (0..<10).map { median * (0.91 + 0.02 * Double($0)) }
    row.latencyMs = Statistics(times).map(BenchRow.Latency.init)
    (row.n, row.stopReason) = (times.count, .precision)
    row.samplesPerSec = Double(batch) / median * 1000
    if let mebibytes {
      row.peakRssBytes = .init(baseline: 20 << 20, load: 120 << 20, steady: mebibytes << 20)
      row.plannedBytes = .init(
        parameters: 90 << 20, arena: (mebibytes - 110) << 20, total: (mebibytes - 20) << 20)
    }
    (row.host, row.cpu, row.commit) = ("häuschen", "A <fast> CPU", "d790b4a")
    row.date = "2026-01-02T03:04:0\(batch % 10)Z"
    return row
  }

  static func missing(
    _ model: String, batch: Int, execution: String, threads: Int? = 2, _ status: BenchRow.Status,
    _ reason: String?
  ) -> BenchRow {
    var row = BenchRow(status: status, reason: reason, model: model, mode: "infer")
    (row.batchSize, row.execution, row.threads, row.device) = (batch, execution, threads, "cpu")
    return row
  }

  /// Two networks, three batches, threads, executions, and everything that can go wrong.
  static var sweep: ReportRun {
    var rows: [BenchRow] = []
    for (batch, time) in [(1, 20.0), (4, 64), (32, 512)] {
      for threads in [1, 2] {
        let slower = threads == 1 ? 1.75 : 1
        rows.append(
          row(
            "resnet50", batch: batch, threads: threads, median: time * slower,
            mebibytes: 220 + 12 * batch))
        rows.append(
          row(
            "resnet50", batch: batch, execution: "eager", threads: threads,
            median: time * 2.5 * slower, mebibytes: 300 + 40 * batch))
      }
    }
    rows.append(row("resnet50", batch: 1, execution: "openvino", median: 30))
    rows.append(
      missing(
        "resnet50", batch: 4, execution: "openvino", .skipped,
        "no Python with openvino; scripts/peers installs it"))
    rows.append(missing("resnet50", batch: 32, execution: "openvino", .oom, "9 GiB planned"))
    rows.append(row("vgg16", batch: 1, median: 56, mebibytes: 700))
    rows.append(missing("vgg16", batch: 4, execution: "compiled", .failed, "it\nbroke | <b>"))
    rows[0].warnings = ["coefficient of variation 8 %: the machine is busy"]
    rows[2].warnings = rows[0].warnings
    return ReportRun(
      name: "sweep & co", rows: rows, command: "apus bench -m 'resnet50,vgg16' -o sweep",
      environment: [.init("isa", "avx512"), .init("memory", "7.6 GiB")])
  }

  static func training(_ model: String, batch: Int, norm: String, step: Double) -> BenchRow {
    var row = row(model, batch: batch, median: step, mode: "train", mebibytes: 900)
    row.norm = norm
    row.stepMs = .init(mean: step, sd: 1.25)
    row.forwardMs = .init(mean: step / 4, sd: 0.5)
    row.backwardMs = .init(mean: step * 3 / 4, sd: 1)
    row.loss = .init(first: 6.9, last: 5)
    return row
  }
}
