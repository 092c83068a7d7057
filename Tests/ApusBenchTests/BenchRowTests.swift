import ApusBench
import Foundation
import Testing

/// The keys of a full row in the documented order.
private let documentedKeys = """
  schema, status, reason, model, head, norm, activation, checkpoint, order, stem, mode, \
  execution, device, precision, batch_size, micro_batch, exact, tuning, image_size, threads, \
  cores, repeat, n, warmup_n, stop_reason, latency_ms, runs, step_ms, forward_ms, backward_ms, \
  samples_per_sec, loss, load_ms, compile_ms, first_ms, parameters, macs, \
  flops, gflops_per_sec, gbytes_per_sec, pct_peak_flops, pct_peak_bandwidth, peak_rss_bytes, \
  planned_bytes, device_peak_bytes, memory_method, max_abs_diff, max_rel_diff, top1_agreement, \
  samples, warnings, host, cpu, commit, date
  """.split(separator: ", ").map(String.init)

private func fullRow() throws -> BenchRow {
  var row = BenchRow(status: .ok, reason: "none", model: "resnet50", mode: "infer")
  row.head = "full"
  row.norm = "bn"
  row.activation = "relu"
  row.checkpoint = "none"
  (row.order, row.stem) = ("post", "standard")
  row.execution = "compiled"
  row.device = "cpu"
  row.precision = "fp32"
  row.batchSize = 4
  row.microBatch = 2
  (row.exact, row.tuning) = (false, "quick")
  row.imageSize = 224
  row.threads = 2
  row.cores = [0, 2]
  row.repeat = 1
  row.n = 700
  row.warmupN = 6
  row.stopReason = .maxTime
  row.latencyMs = .init(try #require(Statistics(referenceValues(700, seed: 11))))
  row.runs = 10
  row.stepMs = .init(mean: 3.3, sd: 0.25)
  row.forwardMs = .init(mean: 0.1 + 0.2, sd: 1e-9)
  row.backwardMs = .init(mean: 3, sd: nil)
  row.samplesPerSec = 123.456
  row.loss = .init(first: 6.9, last: 2.5)
  row.loadMs = 1.5
  row.compileMs = 2.5
  row.firstMs = 1e21
  row.parameters = 25_557_032
  row.macs = 4_089_184_256
  row.flops = 8_178_368_512
  row.gflopsPerSec = 99.5
  row.gbytesPerSec = 10.25
  row.pctPeakFlops = 71
  row.pctPeakBandwidth = 33
  row.peakRssBytes = .init(baseline: 1, load: 1, compile: 2, first: 3, steady: 4)
  row.plannedBytes = .init(parameters: 5, arena: 6, total: 11)
  row.devicePeakBytes = 7
  row.memoryMethod = ProcessMemory.method
  row.maxAbsDiff = 1.25e-6
  row.maxRelDiff = 3e-7
  row.top1Agreement = 1
  row.samples = "samples/resnet50-1.json"
  row.warnings = ["coefficient of variation 8 %: \"busy\"\n\\"]
  row.host = "häuschen\u{1}"
  row.cpu = "AMD EPYC"
  row.commit = "d790b4a"
  row.date = "2026-01-02T03:04:05Z"
  return row
}

@Suite("A row of results.jsonl")
struct BenchRowTests {
  @Test("has the documented keys in the documented order")
  func keys() throws {
    guard case .object(let members) = try JSONValue(encoding: fullRow()) else {
      Issue.record("not an object")
      return
    }
    #expect(members.map(\.name) == documentedKeys)
    let nested: [String: [String]] = members.reduce(into: [:]) { result, member in
      if case .object(let inner) = member.value { result[member.name] = inner.map(\.name) }
    }
    #expect(
      nested == [
        "latency_ms": ["median", "mean", "sd", "min", "max", "p50", "p90", "p95", "p99"],
        "step_ms": ["mean", "sd"], "forward_ms": ["mean", "sd"], "backward_ms": ["mean"],
        "loss": ["first", "last"],
        "peak_rss_bytes": ["baseline", "load", "compile", "first", "steady"],
        "planned_bytes": ["parameters", "arena", "total"],
      ])
  }

  @Test("reads back as what was written, on one line")
  func roundTrip() throws {
    let row = try fullRow()
    let text = try JSONValue(encoding: row).text()
    #expect(!text.contains("\n"))
    #expect(try JSONDecoder().decode(BenchRow.self, from: Data(text.utf8)) == row)
    let indented = try JSONValue(encoding: row).text(indented: true)
    #expect(try JSONDecoder().decode(BenchRow.self, from: Data(indented.utf8)) == row)
  }

  @Test("says what a process took beyond its baseline, where both are known")
  func beyondBaseline() throws {
    #expect(try fullRow().bytesBeyondBaseline == 3)
    #expect(BenchRow(status: .ok, model: "m", mode: "train").bytesBeyondBaseline == nil)
  }

  @Test("has the mean of all times, and the deviation of the means of runs of equal length")
  func runMeans() throws {
    let times = (0..<100).map { Double($0 / 10) }  // 10 runs of 10 equal times: 0 … 9
    let found = try #require(BenchRow.MeanAndDeviation(runs: 10, of: times))
    #expect(found.mean == 4.5)
    // √(Σ (i − 4.5)² / 9) = √(82.5 / 9)
    #expect(abs(try #require(found.sd) - (82.5 / 9).squareRoot()) < 1e-12)
    // What differs within runs only does not count.
    let alike = (0..<100).map { Double($0 % 10) }
    #expect(BenchRow.MeanAndDeviation(runs: 10, of: alike)?.sd == 0)
    #expect(BenchRow.MeanAndDeviation(runs: 10, of: [3]) == .init(mean: 3, sd: nil))
    #expect(BenchRow.MeanAndDeviation(runs: 3, of: [1, 2, 3, 4, 5, 6, 7])?.mean == 4)
    #expect(BenchRow.MeanAndDeviation(runs: 10, of: []) == nil)
  }

  @Test("leaves out what does not apply")
  func absent() throws {
    let row = BenchRow(status: .oom, reason: "9 GiB planned", model: "vgg16", mode: "infer")
    #expect(
      try JSONValue(encoding: row).text()
        == #"{"schema":1,"status":"oom","reason":"9 GiB planned","model":"vgg16","#
        + #""mode":"infer","warnings":[]}"#)
  }

  @Test("stays valid JSON with numbers that are not finite")
  func notFinite() throws {
    var row = BenchRow(status: .failed, model: "m", mode: "infer")
    row.maxAbsDiff = .nan
    row.maxRelDiff = -.infinity
    let text = try JSONValue(encoding: row).text()
    #expect(text.contains(#""max_abs_diff":null,"max_rel_diff":null"#))
    #expect(try JSONDecoder().decode(BenchRow.self, from: Data(text.utf8)).maxAbsDiff == nil)
  }

  @Test("takes counts, latency and throughput from samples")
  func takesSamples() throws {
    let clock = FakeClock()
    var time = 20.0
    let samples = measure(clock: clock) {
      clock.advance(time)
      time = time == 20 ? 20.2 : 20
    }
    var row = BenchRow(status: .ok, model: "m", mode: "infer")
    row.batchSize = 16
    row.take(samples)
    #expect(row.n == samples.nanoseconds.count && row.warmupN == samples.warmUpCount)
    #expect(row.stopReason == .precision)
    let latency = try #require(row.latencyMs)
    #expect(latency.min == 20 && isClose(latency.max, 20.2))
    #expect(latency.p90 != nil && latency.p95 != nil && latency.p99 == nil)
    #expect(isClose(try #require(row.samplesPerSec), 16 / 0.0201, 1e-3))
  }

  @Test("without any sample has counts but no latency")
  func takesNothing() {
    var row = BenchRow(status: .failed, model: "m", mode: "infer")
    row.take(measure(clock: FakeClock(), shouldStop: { true }) {})
    #expect(row.n == 0 && row.stopReason == .interrupted)
    #expect(row.latencyMs == nil && row.samplesPerSec == nil)
  }

  @Test("spells every status and stop reason as documented")
  func spellings() {
    #expect(
      BenchRow.Status.allCases.map(\.rawValue) == ["ok", "oom", "timeout", "failed", "skipped"])
    #expect(
      StopReason.allCases.map(\.rawValue) == ["precision", "max_time", "iterations", "interrupted"])
  }
}

@Suite("JSON text")
struct JSONValueTests {
  private struct Nested: Encodable {
    var z: [Int?] = [1, nil, -3]
    var a: [[Double]] = [[0.1], []]
    var m: [String: UInt64] = ["k": .max]
    var f: Float = 0.1
    var b = true
    var e: [Bool] = []
  }

  @Test("keeps the order of members, nesting and exact numbers")
  func nested() throws {
    #expect(
      try JSONValue(encoding: Nested()).text()
        == #"{"z":[1,null,-3],"a":[[0.1],[]],"m":{"k":18446744073709551615},"f":0.1,"b":true,"#
        + #""e":[]}"#)
    #expect(try JSONValue(encoding: [String]()).text() == "[]")
    #expect(try JSONValue(encoding: 7).text() == "7")
  }

  @Test("is indented by two spaces a level")
  func indented() {
    let value = JSONValue.object([
      .init("a", .array([.integer(1), .object([])])), .init("b", .array([])), .init("c", .null),
    ])
    #expect(
      value.text(indented: true) == """
        {
          "a": [
            1,
            {}
          ],
          "b": [],
          "c": null
        }
        """)
    #expect(value.text() == #"{"a":[1,{}],"b":[],"c":null}"#)
  }

  @Test("of any number reads back as that number")
  func numbers() throws {
    var numbers = [0, 1, -1, 0.1, 1e-300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e16]
    numbers += (0..<2000).map { _ in Double(bitPattern: .random(in: 0...(.max))) }
    for number in numbers where number.isFinite {
      let text = JSONValue.array([.number(number)]).text()
      let read = try JSONDecoder().decode([Double].self, from: Data(text.utf8))
      #expect(read == [number], "\(text)")
    }
    #expect(JSONValue.number(3).text() == "3")
    #expect(JSONValue.number(.nan).text() == "null")
    #expect(JSONValue.number(-.infinity).text() == "null")
  }

  @Test("of any string reads back as that string")
  func strings() throws {
    let all = String(String.UnicodeScalarView((0..<0x3000).compactMap(Unicode.Scalar.init)))
    for string in [all, "", "🐟\u{10FFFF}", "\"\\/\u{8}\u{C}", "\r\n", "e\u{301}"] {
      let text = JSONValue.array([.string(string)]).text()
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 })
      let read = try JSONDecoder().decode([String].self, from: Data(text.utf8))
      #expect(read.map { Array($0.utf8) } == [Array(string.utf8)])
    }
  }
}
