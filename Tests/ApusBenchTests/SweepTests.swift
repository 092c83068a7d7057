import ApusBench
import Testing

@Suite("Cores for threads")
struct CorePinningTests {
  /// Two cores of two threads each, numbered as most machines do: 0 and 2, 1 and 3.
  private func siblings(_ cpu: Int) -> [Int]? { [cpu % 2, cpu % 2 + 2] }

  @Test("are physical ones first, then their siblings")
  func order() {
    let cores = { (threads: Int) in
      CorePinning.cores(forThreads: threads, affinity: [3, 1, 2, 0], siblings: siblings)
    }
    #expect(cores(1) == [0] && cores(2) == [0, 1] && cores(3) == [0, 1, 2])
    #expect(cores(4) == [0, 1, 2, 3])
    let paired = { (cpu: Int) -> [Int]? in [cpu & ~1, cpu | 1] }
    #expect(
      CorePinning.cores(forThreads: 3, affinity: [0, 1, 2, 3], siblings: paired) == [0, 2, 1])
  }

  @Test("are only those the process may use, and none where there are too few")
  func limits() {
    #expect(
      CorePinning.cores(forThreads: 2, affinity: [2, 3], siblings: siblings) == [2, 3])
    #expect(CorePinning.cores(forThreads: 3, affinity: [2, 3], siblings: siblings) == nil)
    #expect(CorePinning.cores(forThreads: 0, affinity: [2, 3], siblings: siblings) == nil)
    #expect(CorePinning.cores(forThreads: 2, affinity: [5, 7], siblings: { _ in nil }) == [5, 7])
  }

  @Test("are told to OpenMP, unless somebody else did")
  func variables() {
    #expect(
      CorePinning.variables([0, 3]) == ["OMP_PROC_BIND": "close", "OMP_PLACES": "{0},{3}"])
    #expect(CorePinning.isDecided(in: ["OMP_PROC_BIND": "false"]))
    #expect(!CorePinning.isDecided(in: ["OMP_NUM_THREADS": "2"]))
  }
}

@Suite("How long a sweep takes")
struct CellEstimateTests {
  @Test("follows from the rules where runs are short, from the runs where they are long")
  func seconds() throws {
    let rules = MeasuringRules.standard
    let short = CellEstimate(flops: 3e6, threads: 1, isTuned: false).seconds(rules)
    // Half a second to start, 0.2 s of warm-up, 3 s of measuring.
    #expect(abs(short - 3.7) < 0.01)
    #expect(
      abs(CellEstimate(flops: 3e6, threads: 1, isTuned: true).seconds(rules) - 6.2) < 0.01)
    // Runs of one second: 2 to compare, 1 to warm up, 10 to measure.
    let long = CellEstimate(flops: 30e9, threads: 1, isTuned: false).seconds(rules)
    #expect(abs(long - 13.5) < 0.01)
    let fixed = try MeasuringRules.fixed(warmUps: 2, iterations: 20)
    #expect(
      abs(CellEstimate(flops: 30e9, threads: 2, isTuned: false).seconds(fixed) - 12.5) < 0.01)
  }

  @Test("is corrected by what the first cells took")
  func remaining() {
    var time = RemainingTime([1, 2, 3])
    #expect(time.remaining == .seconds(6))
    time.finish(estimated: 1, taken: 2)
    #expect(time.remaining == .seconds(10))
    time.finish(estimated: 2, taken: 1)
    #expect(time.remaining == .seconds(3))
    time.finish(estimated: 3, taken: 1)
    #expect(time.remaining == .zero)
  }

  @Test("is shown in a line that fits the terminal")
  func bar() {
    let line = { (width: Int) in
      ProgressBar.line(
        done: 1, of: 4, remaining: .seconds(75), label: "lenet, batch 1", width: width)
    }
    #expect(line(200) == "[#####---------------] 1/4  1 min 15 s left  lenet, batch 1")
    #expect(line(30) == String(line(200).prefix(29)))
  }
}

@Suite("Rows as comma-separated values")
struct BenchRowCSVTests {
  @Test("have a column for each key of any row, in the order of the rows' keys")
  func columns() throws {
    var measured = BenchRow(sweepCell(4), status: .ok)
    measured.stepMs = .init(mean: 1.5, sd: 0.25)
    measured.cores = [0, 1]
    let failed = BenchRow(sweepCell(8), status: .failed, reason: "no, \"never\"")
    let lines = try BenchRow.csv([measured, failed]).split(separator: "\r\n")
    #expect(lines.count == 3)
    #expect(
      lines[0]
        == "schema,status,reason,model,head,norm,mode,execution,device,precision,batch_size,"
        + "image_size,threads,cores,step_ms_mean,step_ms_sd,warnings")
    #expect(
      lines[1] == "1,ok,,lenet,full,bn,infer,compiled,cpu,fp32,4,28,1,0; 1,1.5,0.25,")
    #expect(
      lines[2]
        == "1,failed,\"no, \"\"never\"\"\",lenet,full,bn,infer,compiled,cpu,fp32,8,28,1,,,,")
  }
}
