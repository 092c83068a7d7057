/// What makes a measurement less trustworthy than it looks.
public enum MeasurementWarning: Hashable, Sendable {
  case interrupted(count: Int)
  case tooFewSamples(count: Int, needed: Int)
  case imprecise(relativeHalfWidth: Double, limit: Double)
  case noisy(coefficientOfVariation: Double)
  case unsettledWarmUp(drift: Double)
  case coarseTimer(stepNanoseconds: Int64, medianMilliseconds: Double)
  case loadedMachine(loadAverage: Double, cores: Int)
  case powersaveGovernor
  case slowedDown(fromMHz: Double, toMHz: Double)
  case tooManyThreads(threads: Int, usable: Double)
}

extension MeasurementWarning: CustomStringConvertible {
  /// The fact, and what to do about it.
  public var description: String {
    switch self {
    case .interrupted(let count):
      "interrupted after \(runs(count)): do not compare it with complete measurements"
    case .tooFewSamples(let count, let needed):
      "\(runs(count)) of at least \(HumanNumber.count(needed)): raise --max-time"
    case .imprecise(let width, let limit):
      "the median is known to ±\(HumanNumber.percent(width)) only, not ±"
        + "\(HumanNumber.percent(limit)): close other programs or raise --max-time"
    case .noisy(let variation):
      "coefficient of variation \(HumanNumber.percent(variation)): the machine is busy; "
        + "close other programs or raise --min-time"
    case .unsettledWarmUp(let drift):
      "the last medians of the warm-up still differed by \(HumanNumber.percent(drift)): "
        + "the machine is busy or changes its clock frequency; measure again"
    case .coarseTimer(let step, let median):
      "the timer's step of \(HumanNumber.count(Int(step))) ns is more than 1 % of the median of "
        + "\(HumanNumber.fourDigits(median)) ms: raise the batch size"
    case .loadedMachine(let load, let cores):
      "load average \(HumanNumber.decimal(load, 1)) before the start with \(cores) usable "
        + "\(cores == 1 ? "core" : "cores"): close other programs"
    case .powersaveGovernor:
      "frequency governor powersave: switch to performance "
        + "(cpupower frequency-set -g performance)"
    case .slowedDown(let before, let after):
      "the clock frequency fell from \(HumanNumber.decimal(before, 0)) to "
        + "\(HumanNumber.decimal(after, 0)) MHz: the processor is hot or limits its power; "
        + "let it cool down and measure again"
    case .tooManyThreads(let threads, let usable):
      "\(threads) threads share \(HumanNumber.decimal(usable, usable == usable.rounded() ? 0 : 1))"
        + " usable CPUs: lower --threads"
    }
  }

  private func runs(_ count: Int) -> String {
    "\(HumanNumber.count(count)) \(count == 1 ? "iteration" : "iterations")"
  }
}

extension MeasurementWarning {
  /// Coefficient of variation above which a measurement counts as noisy.
  public static let noisyVariation = 0.05

  /// What there is to say about the samples themselves.
  ///
  /// - Parameter timerStep: smallest step of the clock in nanoseconds, if known.
  public static func about(
    _ samples: Samples, rules: MeasuringRules = .standard, timerStep: Int64? = nil
  ) -> [MeasurementWarning] {
    let count = samples.nanoseconds.count
    var warnings: [MeasurementWarning] = []
    if samples.stopReason == .interrupted { warnings.append(.interrupted(count: count)) }
    if samples.stopReason == .maxTime && count < rules.minIterations {
      warnings.append(.tooFewSamples(count: count, needed: rules.minIterations))
    }
    guard let statistics = Statistics(samples.milliseconds) else { return warnings }
    if samples.stopReason == .maxTime,
      let interval = statistics.medianInterval(confidence: rules.confidence),
      interval.relativeHalfWidth > rules.relativeHalfWidth
    {
      warnings.append(
        .imprecise(relativeHalfWidth: interval.relativeHalfWidth, limit: rules.relativeHalfWidth))
    }
    if let variation = statistics.coefficientOfVariation, variation > noisyVariation {
      warnings.append(.noisy(coefficientOfVariation: variation))
    }
    if let drift = samples.warmUpDrift, drift > rules.warmUpAgreement,
      rules.minWarmUpIterations < rules.maxWarmUpIterations
    {
      warnings.append(.unsettledWarmUp(drift: drift))
    }
    if let timerStep, Double(timerStep) * 1e-6 > 0.01 * statistics.median {
      warnings.append(
        .coarseTimer(stepNanoseconds: timerStep, medianMilliseconds: statistics.median))
    }
    return warnings
  }

  /// What there is to say about the machine, before and (where given) after measuring with
  /// `threads` threads.
  public static func about(
    _ before: MachineState, after: MachineState? = nil, threads: Int
  ) -> [MeasurementWarning] {
    var warnings: [MeasurementWarning] = []
    let cores = max(1, before.affinity.count)
    if let load = before.loadAverage?.first, load > Double(cores) {
      warnings.append(.loadedMachine(loadAverage: load, cores: cores))
    }
    if before.governor == "powersave" { warnings.append(.powersaveGovernor) }
    if let old = before.frequencyMHz, let new = after?.frequencyMHz, new < 0.9 * old {
      warnings.append(.slowedDown(fromMHz: old, toMHz: new))
    }
    if Double(threads) > before.usableCPUs && threads > 1 {
      warnings.append(.tooManyThreads(threads: threads, usable: before.usableCPUs))
    }
    return warnings
  }
}
