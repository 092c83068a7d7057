/// A measurement under way: a value that takes one duration at a time, so that several can be
/// interleaved, stopped and continued.
public struct LatencyMeasurement: Sendable {
  /// What the next duration counts for.
  public enum Phase: Hashable, Sendable {
    case warmingUp
    case measuring
    case done(StopReason)
  }

  public let rules: MeasuringRules
  public private(set) var phase: Phase
  public private(set) var samples = Samples()

  private var lastWarmUps: [Int64] = []
  private var nextCheck = 0

  public init(_ rules: MeasuringRules = .standard) {
    self.rules = rules
    phase = rules.maxWarmUpIterations == 0 ? .measuring : .warmingUp
  }

  /// Whether a rule, or `interrupt()`, has ended the measurement.
  public var isDone: Bool {
    if case .done = phase { true } else { false }
  }

  /// Takes the time of one iteration in nanoseconds; ignored once the measurement is done.
  public mutating func add(nanoseconds: Int64) {
    let duration = max(0, nanoseconds)
    switch phase {
    case .warmingUp:
      addWarmUp(duration)
    case .measuring:
      samples.nanoseconds.append(duration)
      samples.measuredNanoseconds = saturatingSum(samples.measuredNanoseconds, duration)
      if let reason = reasonToStop() { end(reason) }
    case .done:
      break
    }
  }

  /// Ends the measurement early and keeps what there is.
  public mutating func interrupt() {
    if !isDone { end(.interrupted) }
  }

  /// Runs and times `body` until the measurement is done, or until `slice` is used up (one run at
  /// least), or until `shouldStop`, asked before every run, says so.
  ///
  /// An error of `body` is passed on; the samples before it stay. A device must be synchronised
  /// and the output consumed inside `body`.
  public mutating func advance<Failure: Error>(
    for slice: Duration? = nil, clock: some TimeSource, shouldStop: () -> Bool = { false },
    _ body: () throws(Failure) -> Void
  ) throws(Failure) {
    let limit = slice?.wholeNanoseconds ?? .max
    var spent: Int64 = 0
    repeat {
      if isDone { return }
      if shouldStop() { return interrupt() }
      let start = clock.nanoseconds
      try body()
      let duration = clock.nanoseconds - start
      add(nanoseconds: duration)
      spent = saturatingSum(spent, duration)
    } while spent < limit
  }
}

extension LatencyMeasurement {
  private mutating func end(_ reason: StopReason) {
    samples.stopReason = reason
    phase = .done(reason)
  }

  private mutating func addWarmUp(_ duration: Int64) {
    samples.warmUpCount += 1
    samples.warmUpNanoseconds = saturatingSum(samples.warmUpNanoseconds, duration)
    let window = rules.warmUpWindow
    lastWarmUps.append(duration)
    if lastWarmUps.count > 2 * window { lastWarmUps.removeFirst() }
    if lastWarmUps.count == 2 * window {
      samples.warmUpDrift = relativeDifference(
        median(lastWarmUps.prefix(window)), median(lastWarmUps.suffix(window)))
    }
    if warmUpIsOver { phase = .measuring }
  }

  private var warmUpIsOver: Bool {
    if samples.warmUpCount >= rules.maxWarmUpIterations { return true }
    if samples.warmUpCount < rules.minWarmUpIterations { return false }
    let time = samples.warmUpNanoseconds
    if time >= rules.maxWarmUpTime.wholeNanoseconds { return true }
    guard time >= rules.minWarmUpTime.wholeNanoseconds, let drift = samples.warmUpDrift else {
      return false
    }
    return drift <= rules.warmUpAgreement
  }

  private mutating func reasonToStop() -> StopReason? {
    let count = samples.nanoseconds.count
    let time = samples.measuredNanoseconds
    if count >= rules.maxIterations { return .iterations }
    let timeIsUp = time >= rules.maxTime.wholeNanoseconds
    let enough = count >= rules.minIterations && time >= rules.minTime.wholeNanoseconds
    if enough && (count >= nextCheck || timeIsUp) {
      // A check sorts all samples; growing gaps keep all checks together at O(n log n).
      nextCheck = count + max(1, count / 10)
      if isPrecise { return .precision }
    }
    return timeIsUp ? .maxTime : nil
  }

  private var isPrecise: Bool {
    let interval = Statistics(samples.milliseconds)?.medianInterval(confidence: rules.confidence)
    return interval.map { $0.relativeHalfWidth <= rules.relativeHalfWidth } ?? false
  }
}

/// Measures `body` from warm-up to the last iteration in one go.
///
/// - Parameter shouldStop: asked before every run; true ends the measurement with the samples so
///   far (`StopReason.interrupted`).
public func measure<Failure: Error>(
  _ rules: MeasuringRules = .standard, clock: some TimeSource = MonotonicClock(),
  shouldStop: () -> Bool = { false }, _ body: () throws(Failure) -> Void
) throws(Failure) -> Samples {
  var measurement = LatencyMeasurement(rules)
  try measurement.advance(clock: clock, shouldStop: shouldStop, body)
  return measurement.samples
}

private func saturatingSum(_ a: Int64, _ b: Int64) -> Int64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}

private func median(_ values: ArraySlice<Int64>) -> Double {
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count.isMultiple(of: 2)
    ? (Double(sorted[middle - 1]) + Double(sorted[middle])) / 2 : Double(sorted[middle])
}

private func relativeDifference(_ a: Double, _ b: Double) -> Double {
  let largest = max(a, b)
  return largest == 0 ? 0 : abs(a - b) / largest
}
