import ApusBench
import ApusTestSupport
import Foundation
import FoundationXML
import Testing

/// A golden file beside the tests.
private func expectGolden(_ text: String, _ name: String) throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
  let difference = try difference(text, fromFile: folder + "/Fixtures/" + name)
  #expect(difference == nil, "\(difference ?? "")")
}

@Suite("A report")
struct ReportTests {
  private static let absent = ReportDrawings.leftOut("Plots were left out: no Python.")

  @Test("in Markdown has machine, command, tables, what is missing and warnings")
  func markdown() throws {
    let report = Report([SampleRuns.sweep])
    try expectGolden(report.markdown(Self.absent), "report-sweep.md")
  }

  @Test("shows the plots that were drawn")
  func plots() {
    let report = Report([SampleRuns.sweep])
    let drawn = Dictionary(uniqueKeysWithValues: report.plots.map { ($0.name, "<svg></svg>") })
    let text = report.markdown(.drawn(drawn, folder: "my plots"))
    #expect(text.contains("](<my plots/resnet50-infer-latency-over-batch.svg>)"))
    #expect(text.ranges(of: "![").count == report.plots.count)
    #expect(!report.markdown(.drawn(drawn, folder: nil)).contains("!["))
  }

  @Test("of several runs keeps their rows apart")
  func severalRuns() {
    var (old, new) = (SampleRuns.sweep, SampleRuns.sweep)
    (old.name, new.name) = ("old", "new")
    let text = Report([old, new]).markdown(Self.absent)
    #expect(text.contains("compiled, old (ms)") && text.contains("eager, new ÷ compiled, old"))
  }

  @Test("of repetitions has the one in the middle")
  func repetitions() {
    let times = [30.0, 10, 20]
    let rows = times.map { SampleRuns.row("lenet", batch: 7, median: $0) }
    let text = Report([ReportRun(name: "r", rows: rows)]).markdown(Self.absent)
    #expect(text.contains("|     7 |         20.00 |"))
  }

  @Test("in HTML is well-formed, escapes names and loads nothing")
  func html() throws {
    let report = Report([SampleRuns.sweep])
    let drawn = Dictionary(
      uniqueKeysWithValues: report.plots.map { plot in
        (
          plot.name,
          #"<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><clipPath id="a"/>"#
            + #"<g clip-path="url(#a)"/></svg>"#
        )
      })
    for drawings in [ReportDrawings.drawn(drawn, folder: nil), Self.absent] {
      let page = report.html(drawings)
      #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
      let parser = XMLParser(data: Data(withoutScript(page).utf8))
      #expect(parser.parse(), "line \(parser.lineNumber): \(parser.parserError as Any)")
      #expect(page.contains("A &lt;fast&gt; CPU") && page.contains("sweep &amp; co"))
      for address in page.matches(of: /(?:https?:)?\/\/[a-z0-9.]+\.[a-z]+/) {
        #expect(address.output == "http://www.w3.org", "\(address.output)")
      }
      #expect(!page.contains("src=") && !page.contains("@import") && !page.contains("<link"))
      let names = page.matches(of: #/ id="([^"]*)"/#).map { String($0.output.1) }
      #expect(Set(names).count == names.count)
    }
    #expect(report.html(Self.absent).contains("<p class=\"note\">Plots were left out"))
  }

  private func withoutScript(_ page: String) -> String {
    guard let start = page.range(of: "<script>"), let end = page.range(of: "</script>") else {
      return page
    }
    return page.replacingCharacters(in: start.upperBound..<end.lowerBound, with: "")
  }

  @Test("in CSV has every key that some row has, with exact numbers")
  func csv() throws {
    var row = SampleRuns.row("lenet", batch: 3, median: 1.0 / 3, mebibytes: 200)
    row.warnings = ["one, \"two\"", "three"]
    var bare = BenchRow(status: .oom, reason: "9 GiB", model: "vgg16", mode: "train")
    bare.cpu = "x"
    let lines = try Report([ReportRun(name: "r", rows: [bare, row])]).csv.components(
      separatedBy: "\r\n")
    let names = lines[0].split(separator: ",").map(String.init)
    #expect(Array(names.prefix(5)) == ["schema", "status", "reason", "model", "mode"])
    let median = try #require(names.firstIndex(of: "latency_ms_median"))
    #expect(names.firstIndex(of: "peak_rss_bytes_steady").map { $0 > median } == true)
    #expect(lines.count == 4 && lines[3].isEmpty)
    #expect(lines[1].hasPrefix("1,oom,9 GiB,vgg16,train,,") && lines[1].hasSuffix(",x,,"))
    #expect(lines[2].contains("\"one, \"\"two\"\"; three\""))
    let fields = lines[2].split(separator: ",", omittingEmptySubsequences: false)
    #expect(fields[median] == "\(row.latencyMs?.median ?? 0)")
  }

  @Test("of a run with plan and environment says what they say")
  func folder() throws {
    let folder = try TemporaryFolder()
    let rows = try SampleRuns.sweep.rows.map { try JSONValue(encoding: $0).text() + "\n" }
    let texts = [
      "results.jsonl": rows.joined(),
      "plan.json": #"{"command":["bench","-m","it's","-b","1,2"],"settings":{"table":"packrat"}}"#,
      "env.json": #"{"schema":1,"version":"1.2","machine":{"memory_bytes":1073741824,"#
        + #""affinity":[0,1],"cpu_limit":1.5},"variables":{"OMP_X":"1"}}"#,
    ]
    for (name, text) in texts {
      try text.write(toFile: folder.path + "/" + name, atomically: false, encoding: .utf8)
    }
    let run = try ReportRun(reading: folder.path)
    #expect(run.rows == SampleRuns.sweep.rows && run.table == .packrat)
    #expect(run.command == #"apus bench -m 'it'\''s' -b 1,2"#)
    #expect(
      run.environment == [
        .init("affinity", "0, 1"), .init("cpu limit", "1.5"), .init("memory", "1.0 GiB"),
        .init("variables, OMP_X", "1"), .init("version", "1.2"),
      ])
    let file = try ReportRun(reading: folder.path + "/results.jsonl")
    #expect(file.name == run.name && file.command == run.command)
  }
}

@Suite("A report of a published table")
struct PublishedReportTests {
  private func markdown(_ table: PublishedTable, _ rows: [BenchRow]) -> String {
    Report([ReportRun(name: "r", rows: rows, table: table)]).markdown(.leftOut("no plots"))
  }

  @Test("has its rows and columns, ours with what was published, and further peers as columns")
  func luxResNet() throws {
    var rows = [1, 4].flatMap { batch -> [BenchRow] in
      ["compiled", "eager", "openvino"].enumerated().map { index, execution in
        SampleRuns.row(
          "resnet50", batch: batch, execution: execution, median: Double(10 * batch * (index + 1)))
      }
    }
    rows.append(SampleRuns.missing("resnet50", batch: 1, execution: "flax", .skipped, "no flax"))
    rows.append(SampleRuns.missing("resnet50", batch: 128, execution: "compiled", .oom, "9 GiB"))
    try expectGolden(
      String(try #require(markdown(.luxResNet, rows).split(separator: "\n## resnet50").first)),
      "report-lux.md")
  }

  @Test("of training has means with deviations, and memory")
  func pytorchTools() {
    let text = markdown(
      .pytorchTools,
      [
        SampleRuns.training("vgg16_bn", batch: 128, norm: "abn", step: 4000),
        SampleRuns.training("resnet50", batch: 128, norm: "abn", step: 2000),
      ])
    #expect(
      text.contains(
        #/VGG 16 ABN, BS=128 +\| +4,000 ± 1\.250 \(719\.29\+-1\.45\) \| +880\.0 \(17732\.86\)/#))
    #expect(text.contains(#/VGG 16 InplaceABN, BS=128 +\| +not in this run \(727\.05\+-0\.73\)/#))
    #expect(text.contains(#/Resnet50 AMP.*BS=256 .*not in this run \(545\.56\)/#))
  }

  @Test("of threads has speed-ups over one, and a section for each further execution")
  func packrat() {
    let rows =
      ["compiled", "torch-script"].flatMap { execution in
        [1, 2].map { threads in
          SampleRuns.row(
            "resnet50", batch: 8, execution: execution, threads: threads,
            median: 300 / Double(threads))
        }
      } + [
        SampleRuns.missing(
          "resnet50", batch: 8, execution: "compiled", threads: 3, .skipped, "2 cores")
      ]
    let text = markdown(.packrat, rows)
    #expect(text.contains("### Speedup over one thread\n"))
    #expect(
      text.contains(#/\n\| 8 +\| +1\.00x \| +2\.00x \| +skipped: 2 cores \| +not in this run/#))
    #expect(text.contains("### Speedup over one thread: torch-script\n"))
  }

  @Test("of fine-tuning has the accuracies in brackets, not as ours")
  func finetuner() {
    var row = SampleRuns.row("caffenet", batch: 10, median: 100, mode: "pipeline", mebibytes: 500)
    row.head = "cut"
    let text = markdown(.finetuner, [row])
    #expect(text.contains(#/CaffeNet +\| +100\.0 \(755\.64\)/#))
    #expect(text.contains(#/CaffeNet +\| +500\.0 \(430\) .*\(78\.3%\)/#))
    #expect(text.contains("not in this run (out of memory)"))
  }
}

@Suite("Plots")
struct ReportPlotTests {
  private let report = Report([SampleRuns.sweep])

  private func names(_ rows: [BenchRow]) -> [String] {
    Report([ReportRun(name: "r", rows: rows)]).plots.map(\.name)
  }

  @Test("are made for what was swept")
  func made() {
    #expect(
      report.plots.map(\.name) == [
        "speed-against-memory", "resnet50-infer-latency-over-batch",
        "resnet50-infer-throughput-over-batch", "resnet50-infer-speed-up-over-batch",
        "resnet50-infer-memory-over-batch", "resnet50-infer-latency-over-threads-per-batch",
        "resnet50-infer-throughput-over-threads-per-batch",
        "resnet50-infer-latency-over-threads-per-execution",
        "resnet50-infer-throughput-over-threads-per-execution",
        "resnet50-infer-speed-up-over-threads", "resnet50-infer-speed-against-memory",
      ])
    let lenet = { SampleRuns.row("le/net é", batch: $0, execution: $1, median: 3) }
    #expect(names([lenet(1, "eager")]) == [])
    #expect(names([lenet(1, "eager"), lenet(1, "compiled")]) == ["le-net---infer-throughput"])
    #expect(
      names([lenet(1, "eager"), lenet(2, "eager")]) == [
        "le-net---infer-latency-over-batch", "le-net---infer-throughput-over-batch",
      ])
  }

  @Test("are the recorded specifications")
  func specifications() throws {
    for name in ["latency-over-threads-per-batch", "speed-up-over-threads", "memory-over-batch"] {
      let plot = try #require(report.plots.first { $0.name == "resnet50-infer-" + name })
      try expectGolden(plot.spec.text(indented: true) + "\n", name + ".vl.json")
    }
  }

  @Test("have a value and words for each measured point")
  func values() throws {
    let plot = try #require(report.plots.first { $0.name.hasSuffix("latency-over-batch") })
    guard case .object(let members) = plot.spec,
      case .object(let data)? = members.first(where: { $0.name == "data" })?.value,
      case .array(let values) = data[0].value
    else {
      Issue.record("no values")
      return
    }
    #expect(values.count == 13)
    for value in values {
      guard case .object(let members) = value else { continue }
      let text = members.first { $0.name == "text" }?.value.text() ?? ""
      #expect(text.contains(" ms, ") && text.contains("images/s"))
    }
  }
}
