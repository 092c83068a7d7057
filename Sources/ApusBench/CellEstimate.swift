/// About how long a cell will take: good enough to decide whether to wait.
public struct CellEstimate: Hashable, Sendable {
  /// Starting a process, opening libraries, reading or drawing weights.
  static let startSeconds = 0.5
  /// What `--tuning quick` times alternatives for.
  static let tuningSeconds = 2.5
  /// Of one thread, with code that is neither especially good nor bad.
  static let flopsPerSecond = 30e9

  /// Of one iteration; nil where unknown.
  public let flops: Double?
  public let threads: Int
  public let isTuned: Bool

  /// - Parameter flops: of one iteration, a training step counts thrice its forward pass.
  public init(flops: Double?, threads: Int, isTuned: Bool) {
    self.flops = flops
    self.threads = max(1, threads)
    self.isTuned = isTuned
  }

  /// In seconds.
  public func seconds(_ rules: MeasuringRules) -> Double {
    let run = (flops ?? 0) / (Self.flopsPerSecond * Double(threads))
    let warmUp = max(
      min(rules.minWarmUpTime.inSeconds, rules.maxWarmUpTime.inSeconds),
      Double(rules.minWarmUpIterations) * run)
    let measured = max(rules.minTime.inSeconds, Double(rules.minIterations) * run)
    let limited = max(run, min(measured, rules.maxTime.inSeconds))
    // Outputs are compared with another execution's.
    return Self.startSeconds + (isTuned ? Self.tuningSeconds : 0) + 2 * run + warmUp + limited
  }
}

/// How long the rest of a sweep will take, by what was estimated and what its cells took so far.
public struct RemainingTime: Hashable, Sendable {
  private var waiting: Double
  private var estimated = 0.0
  private var taken = 0.0

  /// - Parameter seconds: the estimates of all that is to be done.
  public init(_ seconds: [Double]) { waiting = seconds.reduce(0, +) }

  public mutating func finish(estimated: Double, taken: Double) {
    waiting -= estimated
    self.estimated += estimated
    self.taken += taken
  }

  /// The estimates of what remains, stretched as those of the finished cells turned out.
  public var remaining: Duration {
    let factor = estimated > 0 ? taken / estimated : 1
    return .seconds(max(0, waiting) * factor)
  }
}
