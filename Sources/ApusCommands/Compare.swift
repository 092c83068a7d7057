import Apus
import ApusBench
import ArgumentParser

/// `apus compare`
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two runs of `apus bench`, cell by cell.",
    discussion: """
      Cells are matched by what was measured. Each has the ratio of B to A with a 95 % interval, \
      bootstrapped over repetitions (processes) and iterations within them. A regression is worse \
      by more than the threshold, with an interval that does not hold 1. Exit codes with \
      --fail-on regression: 2, where a cell or the geometric mean of all is one; 3, where a cell \
      that A has measured failed in B.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, markdown, json
  }

  enum Failing: String, ExpressibleByArgument, CaseIterable, Sendable {
    case regression
  }

  @Argument(
    help: "What to compare with: the folder of a run, or its results.jsonl.", completion: .file())
  var a: String

  @Argument(help: "The run that may have become slower.", completion: .file())
  var b: String

  @Option(
    help: ArgumentHelp(
      "latency, throughput, memory, planned, load, compile or first (default: latency).",
      discussion:
        "memory: the process's peak, or the device's; planned: the bytes known before; load, compile, first: the times before the first result."
    ),
    transform: MetricOption.init(parsing:))
  var metric = MetricOption(.latency)

  @Option(
    parsing: .unconditional, help: "What B may be worse by (default: 5%).",
    transform: PercentOption.init(parsing:))
  var threshold = PercentOption(fraction: 0.05)

  @Option(help: "regression: say with the exit code whether there is one.")
  var failOn: Failing?

  @Option(help: "table, markdown (for a pull request) or json.")
  var format = Format.table

  func run() throws {
    let (runA, runB) = (try ComparedRun(reading: a), try ComparedRun(reading: b))
    let comparison = RunComparison(
      runA, runB, metric: metric.metric, threshold: threshold.fraction)
    if comparison.cells.isEmpty && failOn == nil { throw NothingInCommon(comparison) }
    let report = ComparisonReport(comparison)
    switch format {
    case .table: try Console.output(report.plain())
    case .markdown: try Console.output(report.markdown())
    case .json: try Console.output(report.json().text(indented: true) + "\n")
    }
    guard failOn == .regression else { return }
    if comparison.hasRegression { throw ExitCode(2) }
    if comparison.missingInB.contains(where: { $0.reason != nil }) { throw ExitCode(3) }
    if comparison.cells.isEmpty { throw NothingInCommon(comparison) }
  }
}

/// What of two runs is compared.
struct MetricOption: OptionValue {
  let metric: ComparedMetric

  init(_ metric: ComparedMetric) { self.metric = metric }

  init(parsing argument: String) throws(ValidationError) {
    guard let metric = ComparedMetric(rawValue: argument) else {
      let names = ComparedMetric.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("must be one of \(names), got \"\(argument.printable)\"")
    }
    self.metric = metric
  }
}

/// A percentage: `5%`, `0.5 %`.
struct PercentOption: OptionValue {
  let fraction: Double

  init(fraction: Double) { self.fraction = fraction }

  init(parsing argument: String) throws(ValidationError) {
    let number = argument.hasSuffix("%") ? argument.dropLast() : ""
    guard let percent = Double(number.filter { $0 != " " }), percent >= 0, percent < 1000 else {
      throw ValidationError(
        "must be a percentage of at least 0% and below 1000%, such as 5%, got "
          + "\"\(argument.printable)\"")
    }
    fraction = percent / 100
  }
}

/// Two runs of which nothing can be compared.
private struct NothingInCommon: Error, CustomStringConvertible {
  let description: String

  init(_ comparison: RunComparison) {
    func example(_ missing: [RunComparison.Missing]) -> String {
      missing.first.map { $0.cell.words() + ($0.reason.map { " (\($0))" } ?? "") } ?? "nothing"
    }
    description =
      "\(comparison.b.printable): must have measured a cell's \(comparison.metric.rawValue) that "
      + "\(comparison.a.printable) has measured too; it lacks \(example(comparison.missingInB)), "
      + "and has \(example(comparison.missingInA))"
  }
}
