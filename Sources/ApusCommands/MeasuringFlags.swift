import ApusBench
import ArgumentParser

/// How long a cell is measured.
struct MeasuringFlags: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Measure at least so long: 3s, 500ms (default: 3s).",
    transform: DurationOption.init(parsing:))
  var minTime = DurationOption(MeasuringRules.standard.minTime)

  @Option(
    parsing: .unconditional, help: "Stop measuring after so long: 60s, 5m (default: 60s).",
    transform: DurationOption.init(parsing:))
  var maxTime = DurationOption(MeasuringRules.standard.maxTime)

  @Option(
    parsing: .unconditional, help: "Measure at least so many runs (default: 10).",
    transform: PositiveInt.init(parsing:))
  var minIterations = PositiveInt(MeasuringRules.standard.minIterations)

  @Option(
    parsing: .unconditional,
    help: "Measure exactly so many runs of --iterations each, after two that do not count.",
    transform: PositiveInt.init(parsing:))
  var runs: PositiveInt?

  @Option(
    parsing: .unconditional, help: "Of each of the --runs (default: 10).",
    transform: PositiveInt.init(parsing:))
  var iterations: PositiveInt?

  func validate() throws {
    if iterations != nil && runs == nil {
      throw ValidationError("--iterations: must come with --runs, got it alone")
    }
    do {
      _ = try rules()
    } catch {
      throw ValidationError("\(error)")
    }
  }

  func rules() throws(MeasuringRulesError) -> MeasuringRules {
    if let runs {
      return try .fixed(warmUps: 2, iterations: runs.value * (iterations?.value ?? 10))
    }
    return try MeasuringRules(
      minIterations: minIterations.value, minTime: minTime.duration, maxTime: maxTime.duration)
  }
}
