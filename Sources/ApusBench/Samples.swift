/// The rule that ended a measurement.
public enum StopReason: String, Codable, Hashable, Sendable, CaseIterable {
  /// The median's confidence interval became narrow enough.
  case precision
  /// The longest time was used up.
  case maxTime = "max_time"
  /// The largest number of iterations was made, or the exact number of a fixed protocol.
  case iterations
  /// Someone asked to stop; the samples so far are kept.
  case interrupted
}

/// What a measurement has collected: the time of every iteration, and how it was come by.
public struct Samples: Sendable, Hashable {
  /// Time of each measured iteration in nanoseconds, in the order they ran.
  public internal(set) var nanoseconds: [Int64] = []
  /// Sum of `nanoseconds`: the wall time of the measured window, without the bookkeeping between
  /// iterations.
  public internal(set) var measuredNanoseconds: Int64 = 0
  /// Runs of the warm-up; they are not among `nanoseconds`.
  public internal(set) var warmUpCount = 0
  /// Time of the warm-up in nanoseconds.
  public internal(set) var warmUpNanoseconds: Int64 = 0
  /// Relative difference of the last two medians of the warm-up; nil when it had too few runs.
  public internal(set) var warmUpDrift: Double?
  /// The rule that ended the measurement; nil while it goes on.
  public internal(set) var stopReason: StopReason?

  init() {}

  /// Time of each measured iteration in milliseconds.
  public var milliseconds: [Double] { nanoseconds.map { Double($0) * 1e-6 } }

  /// Images (or whatever an iteration handles `batchSize` of) per second over the measured window;
  /// nil without a sample or without time.
  public func throughput(batchSize: Int) -> Double? {
    guard measuredNanoseconds > 0 else { return nil }
    return Double(nanoseconds.count) * Double(batchSize) / (Double(measuredNanoseconds) * 1e-9)
  }
}
