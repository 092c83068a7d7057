import ApusBench
import Testing

@Suite("A comparison of two runs")
struct ComparisonTests {
  /// A row of a cell whose iterations took about `milliseconds`.
  private func row(
    _ milliseconds: Double, model: String = "resnet18", batch: Int = 1, seed: UInt64 = 0,
    _ change: (inout BenchRow) -> Void = { _ in }
  ) throws -> BenchRow {
    var row = BenchRow(status: .ok, model: model, mode: "infer")
    (row.execution, row.device, row.precision) = ("compiled", "cpu", "fp32")
    (row.batchSize, row.imageSize, row.threads) = (batch, 224, 1)
    let times = times(milliseconds, seed: seed)
    row.latencyMs = .init(try #require(Statistics(times)))
    row.samplesPerSec = Double(batch * times.count) * 1000 / times.reduce(0, +)
    change(&row)
    return row
  }

  private func times(_ milliseconds: Double, seed: UInt64) -> [Double] {
    referenceValues(30, seed: seed).map { $0 / 5.3 * milliseconds }
  }

  /// Repetitions of one cell, each with its samples.
  private func repetitions(
    _ count: Int, _ milliseconds: Double, model: String = "resnet18", batch: Int = 1,
    seed: UInt64 = 0, samples: Bool = true
  ) throws -> [(row: BenchRow, samples: [Double]?)] {
    try (0..<count).map { repetition in
      let seed = seed + 1000 * UInt64(repetition)
      return (
        try row(milliseconds, model: model, batch: batch, seed: seed),
        samples ? times(milliseconds, seed: seed) : nil
      )
    }
  }

  private func compare(
    _ a: [(row: BenchRow, samples: [Double]?)], _ b: [(row: BenchRow, samples: [Double]?)],
    _ metric: ComparedMetric = .latency
  ) -> RunComparison {
    RunComparison(
      ComparedRun(name: "before", rows: a), ComparedRun(name: "after", rows: b), metric: metric)
  }

  @Test("finds what became slower and what became faster")
  func verdicts() throws {
    let a =
      try repetitions(5, 100) + repetitions(5, 100, model: "vgg16")
      + repetitions(5, 100, model: "mlp")
    let b =
      try repetitions(5, 102, model: "mlp", seed: 50_000) + repetitions(5, 130, seed: 60_000)
      + repetitions(5, 70, model: "vgg16", seed: 70_000)
    let found = compare(a, b)
    let verdicts = found.cells.map { "\($0.cell["model"]?.text() ?? "") \($0.verdict.rawValue)" }
    #expect(
      verdicts == [#""resnet18" regression"#, #""mlp" unchanged"#, #""vgg16" improvement"#])
    #expect(found.hasRegression && found.overallVerdict == .unchanged)
    #expect(found.cells.allSatisfy { $0.a.processes == 5 && $0.a.iterations == 150 })
    #expect(found.cells.allSatisfy { $0.ratio.interval?.contains($0.ratio.ratio) == true })
    #expect(found.missingInA.isEmpty && found.missingInB.isEmpty && found.warnings.isEmpty)
    let back = compare(b, a)
    #expect(back.cells.map(\.verdict) == [.regression, .unchanged, .improvement])
  }

  @Test("claims no regression below the threshold, or where the interval holds 1")
  func thresholds() throws {
    let steady = try (0..<5).map {
      (row: try row(100 + 0.01 * Double($0)), samples: [Double]?.none)
    }
    let slower = try (0..<5).map {
      (row: try row(104 + 0.01 * Double($0)), samples: [Double]?.none)
    }
    let small = compare(steady, slower)
    #expect(small.cells[0].ratio.mayBeOne == false && small.cells[0].verdict == .unchanged)
    let strict = RunComparison(
      ComparedRun(name: "a", rows: steady), ComparedRun(name: "b", rows: slower), threshold: 0.03)
    #expect(strict.hasRegression)
    let noisy = try [60, 90, 120, 150, 260].map { (row: try row($0), samples: [Double]?.none) }
    let uncertain = compare(steady, noisy)
    #expect(uncertain.cells[0].ratio.ratio > 1.05 && uncertain.cells[0].verdict == .unchanged)
    #expect(!uncertain.hasRegression)
  }

  @Test("is about images per second where that is asked for: more is better")
  func throughput() throws {
    let found = compare(
      try repetitions(4, 100, batch: 8), try repetitions(4, 200, batch: 8, seed: 9000), .throughput)
    let cell = try #require(found.cells.first)
    #expect(abs(cell.ratio.ratio - 0.5) < 0.05 && cell.verdict == .regression)
    #expect(abs(cell.a.value / 75 - 1) < 0.1)
    let summaries = compare(
      try repetitions(4, 100, batch: 8, samples: false),
      try repetitions(4, 100, batch: 8, samples: false), .throughput)
    #expect(summaries.cells.first?.ratio.ratio == 1)
    #expect(summaries.cells.first.map { isClose($0.a.value, cell.a.value, 0.02) } == true)
  }

  @Test("is about memory, planned memory and the times before the first run too")
  func otherMetrics() throws {
    func run(_ scale: Int) throws -> [(row: BenchRow, samples: [Double]?)] {
      try (0..<3).map { repetition in
        let row = try row(10) { row in
          row.peakRssBytes = .init(steady: scale * (100 << 20) + repetition << 12)
          row.plannedBytes = .init(total: scale * 50 << 20)
          (row.loadMs, row.compileMs) = (Double(scale), Double(scale) + Double(repetition) * 0.01)
        }
        return (row, [10, 11])
      }
    }
    let (a, b) = (try run(1), try run(2))
    for metric in [ComparedMetric.memory, .planned, .load, .compile] {
      let found = try #require(compare(a, b, metric).cells.first)
      #expect(abs(found.ratio.ratio - 2) < 0.02 && found.verdict == .regression, "\(metric)")
    }
    #expect(isClose(try #require(compare(a, b, .planned).cells.first).b.value, 100))
    let none = compare(a, b, .first)
    #expect(none.cells.isEmpty && none.overall == nil && !none.hasRegression)
  }

  @Test("with one repetition says what is not known")
  func singleRepetition() throws {
    let a = try repetitions(1, 100, samples: false)
    let b = try repetitions(1, 200, seed: 7000, samples: false)
    let blind = compare(a, b)
    #expect(blind.cells.first?.ratio.interval == nil && blind.cells.first?.verdict == .unknown)
    #expect(!blind.hasRegression && blind.overallVerdict == .unknown)
    #expect(blind.warnings.count == 1 && blind.warnings[0].contains("no interval can be given"))
    let sampled = compare(try repetitions(1, 100), try repetitions(1, 200, seed: 7000))
    #expect(sampled.hasRegression)
    #expect(sampled.warnings.count == 1 && sampled.warnings[0].contains("others differ by more"))
  }

  @Test("tells which cells one side lacks, and why")
  func missing() throws {
    var oom = try row(1, batch: 64)
    (oom.status, oom.reason, oom.latencyMs) = (.oom, "9 GiB planned", nil)
    let a =
      try repetitions(2, 100) + repetitions(2, 900, batch: 64) + repetitions(2, 5, model: "mlp")
    let b =
      try repetitions(2, 100, seed: 300) + [(oom, nil), (oom, nil)]
      + repetitions(2, 5, model: "nin")
    let found = compare(a, b)
    #expect(found.cells.count == 1)
    #expect(found.missingInA.map { $0.cell["model"] } == [.string("nin")])
    #expect(found.missingInB.map(\.reason) == ["oom: 9 GiB planned", nil])
    let report = ComparisonReport(found)
    #expect(
      report.plain().contains(
        "missing in B: resnet18, infer, compiled, cpu, fp32, batch 64, 224 pixels, 1 thread: "
          + "oom: 9 GiB planned\n"))
    #expect(report.markdown().contains("\nMissing in A:\n\n- nin, infer, "))
  }

  @Test("knows a cell that never ran for the one that did")
  func neverRan() throws {
    let measured = try repetitions(2, 100).map { row, samples in
      var row = row
      (row.exact, row.tuning) = (false, "quick")
      return (row: row, samples: samples)
    }
    var oom = try row(1)
    (oom.status, oom.reason, oom.latencyMs) = (.oom, "9 GiB planned", nil)
    let all = compare(measured, [(oom, nil)])
    #expect(all.cells.isEmpty && all.missingInB.map(\.reason) == ["oom: 9 GiB planned"])
    #expect(compare([(oom, nil)], measured).missingInA.map(\.reason) == ["oom: 9 GiB planned"])
    let some = compare(measured, [(oom, nil)] + measured)
    #expect(some.cells.map(\.b.failures) == [["oom: 9 GiB planned"]])
    #expect(some.cells.map(\.b.processes) == [2] && some.missingInB.isEmpty)
    let exact = measured.map { row, samples in
      var row = row
      row.exact = true
      return (row: row, samples: samples)
    }
    let both = compare(measured + exact, exact + measured)
    #expect(both.cells.count == 2 && both.missingInA.isEmpty && both.missingInB.isEmpty)
    let other = compare(measured, exact)
    #expect(other.cells.isEmpty && other.missingInA.count == 1 && other.missingInB.count == 1)
  }

  @Test("pools repetitions whatever micro-batch compiling chose, and nothing else")
  func cells() throws {
    let base = try row(10)
    var other = base
    (other.microBatch, other.repeat, other.date) = (4, 7, "2026-01-02T03:04:05Z")
    #expect(BenchCell(base) == BenchCell(other))
    let changes: [(inout BenchRow) -> Void] = [
      { $0.model = "x" }, { $0.head = "cut" }, { $0.norm = "abn" }, { $0.activation = "mish" },
      { $0.checkpoint = "sqrt" }, { $0.mode = "train" }, { $0.execution = "eager" },
      { $0.device = "xla:cpu" }, { $0.precision = "bf16" }, { $0.batchSize = 2 },
      { $0.exact = true }, { $0.imageSize = 96 }, { $0.threads = 2 }, { $0.tuning = "full" },
    ]
    for change in changes {
      var other = base
      change(&other)
      #expect(BenchCell(base) != BenchCell(other))
    }
  }

  @Test("of different machines says so, and counts repetitions that failed")
  func remarks() throws {
    let a = try repetitions(3, 100)
    var b = a
    for index in b.indices { b[index].row.host = "other" }
    b[2].row.status = .failed
    b[2].row.reason = "logits\ndiffer"
    let text = ComparisonReport(compare(a, b)).plain()
    #expect(text.contains("the ratios are also those of the machines"))
    #expect(
      text.contains("resnet18: 1 of 3 repetitions of B without a result: failed: logits differ"))
  }

  @Test("reads well in a terminal and in a pull request")
  func report() throws {
    let a = try repetitions(3, 100) + repetitions(3, 300, batch: 4)
    let b = try repetitions(3, 100) + repetitions(3, 600, batch: 4)
    let report = ComparisonReport(compare(a, b))
    let lines = report.plain().split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "latency: after (B) against before (A)")
    #expect(
      lines[1] == "infer, compiled, cpu, fp32, 224 pixels, 1 thread; ratio B/A, better below 1, "
        + "with its 95 % interval; a regression is worse by more than 5 % with an interval "
        + "without 1")
    #expect(
      lines[3].split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        == "model batch_size A (ms) B (ms) ratio interval processes verdict")
    #expect(lines[5].hasPrefix("resnet18           4 ") && lines[5].hasSuffix(" regression"))
    #expect(lines[5].contains(" 2.000 ") && lines[5].contains("3 + 3"))
    #expect(lines[6].contains(" 1.000 ") && lines[6].hasSuffix(" unchanged"))
    #expect(lines[8].hasPrefix("1 regression, no improvement in 2 cells; geometric mean 1.414 ("))
    let markdown = report.markdown()
    #expect(markdown.hasPrefix("### latency: after (B) against before (A)\n\n**1 regression, "))
    #expect(markdown.contains("\n| model    | batch\\_size |"))
  }

  @Test("is one JSON object with everything")
  func json() throws {
    let text = ComparisonReport(compare(try repetitions(2, 100), try repetitions(2, 300))).json()
      .text()
    #expect(
      text.hasPrefix(
        #"{"a":"before","b":"after","metric":"latency","unit":"ms","threshold":0.05,"#
          + #""confidence":0.95,"regression":true,"cells":[{"model":"resnet18","mode":"infer","#
          + #""execution":"compiled","device":"cpu","precision":"fp32","batch_size":1,"#
          + #""image_size":224,"threads":1,"a":{"value":"#))
    #expect(text.contains(#""processes":2,"iterations":60,"failures":[]},"ratio":"#))
    #expect(text.hasSuffix(#""missing_in_a":[],"missing_in_b":[],"warnings":[]}"#))
  }
}
