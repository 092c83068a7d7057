/// When a measurement has warmed up, and when it may stop; valid by construction.
public struct MeasuringRules: Sendable, Hashable {
  /// Runs of the warm-up that are always made. Default 1.
  public let minWarmUpIterations: Int
  /// Runs after which the warm-up ends whatever the times say. Default 1,000,000.
  public let maxWarmUpIterations: Int
  /// Time the warm-up takes at least. Default 200 ms.
  public let minWarmUpTime: Duration
  /// Time after which the warm-up ends, settled or not. Default 5 s.
  public let maxWarmUpTime: Duration
  /// Runs in each of the two neighbouring windows whose medians must agree. Default 3.
  public let warmUpWindow: Int
  /// Largest relative difference of the two medians of a settled warm-up. Default 0.02.
  public let warmUpAgreement: Double

  /// Runs that are measured at least, unless `maxTime` cuts them short. Default 10.
  public let minIterations: Int
  /// Runs that are measured at most. Default 1,000,000.
  public let maxIterations: Int
  /// Time that is measured at least. Default 3 s.
  public let minTime: Duration
  /// Time after which measuring ends, precise or not. Default 60 s.
  public let maxTime: Duration
  /// Largest half-width of the median's confidence interval, as a part of the median, with which
  /// measuring ends before `maxTime`. Default 0.02.
  public let relativeHalfWidth: Double
  /// Confidence level of that interval. Default 0.95.
  public let confidence: Double

  /// The rules without any change.
  public static let standard = MeasuringRules()

  /// Changes some of the defaults.
  ///
  /// - Throws: `MeasuringRulesError` when a value is out of its range or a minimum is above its
  ///   maximum.
  public init(
    minWarmUpIterations: Int = standard.minWarmUpIterations,
    maxWarmUpIterations: Int = standard.maxWarmUpIterations,
    minWarmUpTime: Duration = standard.minWarmUpTime,
    maxWarmUpTime: Duration = standard.maxWarmUpTime,
    warmUpWindow: Int = standard.warmUpWindow,
    warmUpAgreement: Double = standard.warmUpAgreement,
    minIterations: Int = standard.minIterations,
    maxIterations: Int = standard.maxIterations,
    minTime: Duration = standard.minTime,
    maxTime: Duration = standard.maxTime,
    relativeHalfWidth: Double = standard.relativeHalfWidth,
    confidence: Double = standard.confidence
  ) throws(MeasuringRulesError) {
    self.minWarmUpIterations = minWarmUpIterations
    self.maxWarmUpIterations = maxWarmUpIterations
    self.minWarmUpTime = minWarmUpTime
    self.maxWarmUpTime = maxWarmUpTime
    self.warmUpWindow = warmUpWindow
    self.warmUpAgreement = warmUpAgreement
    self.minIterations = minIterations
    self.maxIterations = maxIterations
    self.minTime = minTime
    self.maxTime = maxTime
    self.relativeHalfWidth = relativeHalfWidth
    self.confidence = confidence
    try checkWarmUp()
    try checkMeasuring()
  }

  /// A published protocol: exactly `warmUps` runs that do not count and `iterations` that do,
  /// within `maxTime`.
  public static func fixed(
    warmUps: Int, iterations: Int, maxTime: Duration = .seconds(3600)
  ) throws(MeasuringRulesError) -> MeasuringRules {
    try MeasuringRules(
      minWarmUpIterations: warmUps, maxWarmUpIterations: warmUps, minWarmUpTime: .zero,
      maxWarmUpTime: maxTime, minIterations: iterations, maxIterations: iterations,
      minTime: .zero, maxTime: maxTime)
  }

  private init() {
    minWarmUpIterations = 1
    maxWarmUpIterations = 1_000_000
    minWarmUpTime = .milliseconds(200)
    maxWarmUpTime = .seconds(5)
    warmUpWindow = 3
    warmUpAgreement = 0.02
    minIterations = 10
    maxIterations = 1_000_000
    minTime = .seconds(3)
    maxTime = .seconds(60)
    relativeHalfWidth = 0.02
    confidence = 0.95
  }
}

extension MeasuringRules {
  private func checkWarmUp() throws(MeasuringRulesError) {
    try require(minWarmUpIterations, atLeast: 0, "min-warm-up-iterations")
    try require(minWarmUpTime, atLeast: .zero, "min-warm-up-time")
    try require(warmUpWindow, atLeast: 1, "warm-up-window")
    try require(warmUpWindow, atMost: 1000, "warm-up-window")
    try requireFraction(warmUpAgreement, "warm-up-agreement")
    try requireOrder(
      minWarmUpIterations, "min-warm-up-iterations", maxWarmUpIterations, "max-warm-up-iterations")
    try requireOrder(minWarmUpTime, "min-warm-up-time", maxWarmUpTime, "max-warm-up-time")
  }

  private func checkMeasuring() throws(MeasuringRulesError) {
    try require(minIterations, atLeast: 1, "min-iterations")
    try require(minTime, atLeast: .zero, "min-time")
    guard maxTime > .zero else {
      throw .belowLimit(rule: "max-time", limit: "more than 0 s", given: maxTime.description)
    }
    try requireFraction(relativeHalfWidth, "relative-half-width")
    try requireFraction(confidence, "confidence")
    try requireOrder(minIterations, "min-iterations", maxIterations, "max-iterations")
    try requireOrder(minTime, "min-time", maxTime, "max-time")
  }
}

private func require<Value: Comparable>(
  _ value: Value, atLeast limit: Value, _ rule: String
) throws(MeasuringRulesError) {
  guard value >= limit else {
    throw .belowLimit(rule: rule, limit: "at least \(limit)", given: "\(value)")
  }
}

private func require<Value: Comparable>(
  _ value: Value, atMost limit: Value, _ rule: String
) throws(MeasuringRulesError) {
  guard value <= limit else {
    throw .aboveLimit(rule: rule, limit: "at most \(limit)", given: "\(value)")
  }
}

private func requireFraction(_ value: Double, _ rule: String) throws(MeasuringRulesError) {
  guard value > 0 && value < 1 else { throw .notAFraction(rule: rule, given: value) }
}

private func requireOrder<Value: Comparable>(
  _ lower: Value, _ lowerRule: String, _ upper: Value, _ upperRule: String
) throws(MeasuringRulesError) {
  guard lower <= upper else {
    throw .minimumAboveMaximum(
      minimum: lowerRule, "\(lower)", maximum: upperRule, "\(upper)")
  }
}
