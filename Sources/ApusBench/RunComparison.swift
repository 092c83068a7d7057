import Foundation

/// Run B held against run A, cell by cell.
public struct RunComparison: Sendable {
  /// What a ratio means.
  public enum Verdict: String, Hashable, Sendable {
    /// B is worse by more than the threshold, and the interval does not hold 1.
    case regression
    /// B is better by more than the threshold, and the interval does not hold 1.
    case improvement
    /// Neither could be shown.
    case unchanged
    /// There is no interval, so nothing can be said.
    case unknown
  }

  /// What is known of a cell on one side.
  public struct Side: Hashable, Sendable {
    /// The geometric mean of the processes, in the metric's unit.
    public let value: Double
    public let processes: Int
    /// Of all processes together; nil where only a summary of each process was kept.
    public let iterations: Int?
    /// Repetitions that did not succeed.
    public let failures: [String]
  }

  /// A cell that both sides have measured.
  public struct Cell: Sendable {
    public let cell: BenchCell
    public let a, b: Side
    /// B over A.
    public let ratio: RatioEstimate
    public let verdict: Verdict
  }

  /// A cell that one side has not measured.
  public struct Missing: Hashable, Sendable {
    public let cell: BenchCell
    /// What the side says instead; nil where it has no such cell.
    public let reason: String?
  }

  public let a, b: String
  public let metric: ComparedMetric
  /// The part by which B must be worse, such as 0.05.
  public let threshold: Double
  public let confidence: Double
  /// The worst first.
  public let cells: [Cell]
  /// The geometric mean of the cells' ratios; nil without a cell.
  public let overall: RatioEstimate?
  public let overallVerdict: Verdict
  public let missingInA, missingInB: [Missing]
  /// What makes the comparison less trustworthy than it looks.
  public let warnings: [String]

  public init(
    _ a: ComparedRun, _ b: ComparedRun, metric: ComparedMetric = .latency,
    threshold: Double = 0.05, confidence: Double = 0.95, bootstrap: Bootstrap = Bootstrap()
  ) {
    (self.a, self.b, self.metric) = (a.name, b.name, metric)
    (self.threshold, self.confidence) = (threshold, confidence)
    let pairs = CellPair.pairs(a.cells(metric), b.cells(metric))
    let judge = Judge(metric: metric, threshold: threshold)
    var estimates: [(numerator: LogEstimate, denominator: LogEstimate)] = []
    var cells: [Cell] = []
    for pair in pairs where pair.isMeasured {
      let estimate = (
        numerator: metric.estimate(pair.b.processes, bootstrap),
        denominator: metric.estimate(pair.a.processes, bootstrap)
      )
      estimates.append(estimate)
      let ratio = judge.shown(RatioEstimate([estimate], confidence: confidence))
      cells.append(
        Cell(
          cell: pair.cell,
          a: Side(pair.a, metric.shown(exp(estimate.denominator.logarithm), of: pair.cell)),
          b: Side(pair.b, metric.shown(exp(estimate.numerator.logarithm), of: pair.cell)),
          ratio: ratio, verdict: judge.verdict(ratio)))
    }
    self.cells = cells.sorted { judge.badness($0.ratio) > judge.badness($1.ratio) }
    overall =
      estimates.isEmpty ? nil : judge.shown(RatioEstimate(estimates, confidence: confidence))
    overallVerdict = overall.map(judge.verdict) ?? .unknown
    missingInA = pairs.compactMap { $0.missing($0.a, given: $0.b) }
    missingInB = pairs.compactMap { $0.missing($0.b, given: $0.a) }
    warnings = Self.warnings(a, b, cells)
  }

  /// Whether a cell, or all together, became worse.
  public var hasRegression: Bool {
    overallVerdict == .regression || cells.contains { $0.verdict == .regression }
  }

  private static func warnings(_ a: ComparedRun, _ b: ComparedRun, _ cells: [Cell]) -> [String] {
    var warnings: [String] = []
    let (onA, onB) = (a.machines, b.machines)
    if onA != onB {
      warnings.append(
        "A was measured on \(onA.joined(separator: "; ")), B on \(onB.joined(separator: "; ")): "
          + "the ratios are also those of the machines")
    }
    let unknown = cells.count { $0.ratio.interval == nil }
    if unknown > 0 {
      warnings.append(
        "\(HumanNumber.count(unknown)) of \(HumanNumber.count(cells.count)) cells have one "
          + "repetition without samples on a side: no interval can be given and no regression "
          + "claimed; measure with --repeat 5")
    }
    let single = cells.count {
      $0.ratio.interval != nil && min($0.a.processes, $0.b.processes) == 1
    }
    if single > 0 && cells.contains(where: { $0.a.iterations != nil }) {
      warnings.append(
        "\(HumanNumber.count(single)) of \(HumanNumber.count(cells.count)) cells have one "
          + "repetition on a side: their intervals hold for these processes, and others differ by "
          + "more; measure with --repeat 5")
    }
    return warnings
  }
}

extension RunComparison.Side {
  init(_ measurements: ComparedRun.Measurements, _ value: Double) {
    self.value = value
    processes = measurements.processes.count
    let iterations = measurements.processes.reduce(0) { $0 + $1.count }
    self.iterations = iterations > processes ? iterations : nil
    failures = measurements.failures
  }
}

extension ComparedMetric {
  fileprivate func estimate(_ processes: [[Double]], _ bootstrap: Bootstrap) -> LogEstimate {
    if self == .planned, let value = processes.first?.first { return LogEstimate(exactly: value) }
    return LogEstimate(of: processes, by: center, bootstrap)
  }
}

/// Says which ratios are bad.
private struct Judge {
  let metric: ComparedMetric
  let threshold: Double

  /// The ratio of what people read, where less of `estimate` is better.
  func shown(_ estimate: RatioEstimate) -> RatioEstimate {
    metric.smallerIsBetter ? estimate : estimate.inverse
  }

  /// How many times worse.
  func badness(_ ratio: RatioEstimate) -> Double {
    metric.smallerIsBetter ? ratio.ratio : 1 / ratio.ratio
  }

  func verdict(_ ratio: RatioEstimate) -> RunComparison.Verdict {
    guard let mayBeOne = ratio.mayBeOne else { return .unknown }
    if mayBeOne { return .unchanged }
    if badness(ratio) > 1 + threshold { return .regression }
    return 1 / badness(ratio) > 1 + threshold ? .improvement : .unchanged
  }
}

/// A cell with what both sides know of it.
private struct CellPair {
  let cell: BenchCell
  var a = ComparedRun.Measurements()
  var b = ComparedRun.Measurements()

  var isMeasured: Bool { !a.processes.isEmpty && !b.processes.isEmpty }

  static func pairs(
    _ a: [(cell: BenchCell, measurements: ComparedRun.Measurements)],
    _ b: [(cell: BenchCell, measurements: ComparedRun.Measurements)]
  ) -> [CellPair] {
    var pairs = a.map { CellPair(cell: $0.cell, a: $0.measurements) }
    var places = Dictionary(uniqueKeysWithValues: zip(pairs.map(\.cell), pairs.indices))
    places.merge(zip(pairs.map(\.cell.beforeCompiling), pairs.indices)) { exact, _ in exact }
    for (cell, measurements) in b {
      let place = [cell, cell.beforeCompiling].lazy.compactMap { places[$0] }.first { place in
        let pair = pairs[place]
        // What never ran is known less exactly.
        let isAlike =
          pair.cell == cell || pair.a.processes.isEmpty || measurements.processes.isEmpty
        return isAlike && pair.b.processes.isEmpty && pair.b.failures.isEmpty
      }
      if let place {
        pairs[place].b = measurements
      } else {
        pairs.append(CellPair(cell: cell, b: measurements))
      }
    }
    return pairs
  }

  /// The cell as one that `side` lacks and `other` has measured.
  func missing(
    _ side: ComparedRun.Measurements, given other: ComparedRun.Measurements
  ) -> RunComparison.Missing? {
    guard side.processes.isEmpty && !other.processes.isEmpty else { return nil }
    return RunComparison.Missing(cell: cell, reason: side.failures.first)
  }
}
