import Apus
import ApusBench
import ApusOneDNN
import ArgumentParser

/// `apus profile`
struct Profile: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure each step of a network on the CPU.",
    discussion: """
      Steps are timed within whole runs, so that the caches are as they are in use. The gap is the \
      time of a step beyond what the machine's measured peaks allow for its arithmetic and bytes; \
      steps that fit into the cores' own caches are held against the caches' bandwidth.
      """)

  /// What comes first.
  enum Order: String, ExpressibleByArgument, CaseIterable, Sendable {
    case gap, time, order
  }

  @Option(
    name: [.short, .customLong("model")], help: "The network; see `apus models`.",
    transform: ModelOption.init(parsing:))
  var model: ModelOption

  @Option(
    name: [.short, .long], parsing: .unconditional, help: "Images that run together (default: 1).",
    transform: PositiveInt.init(parsing:))
  var batchSize = PositiveInt(1)

  @Option(
    help: "eager, compiled (default: compiled).", transform: ExecutionOption.init(parsing:))
  var execution = ExecutionOption.compiled

  @Option(
    parsing: .unconditional,
    help: "A number, or auto: one for each physical core the process may use (default: auto).",
    transform: ThreadCountOption.init(parsing:))
  var threads = ThreadCountOption.auto

  @Option(
    parsing: .unconditional,
    help: "The side of the square images, in pixels (default: the network's own).",
    transform: PositiveInt.init(parsing:))
  var imageSize: PositiveInt?

  @Option(
    parsing: .unconditional,
    help: "Images that compiled CPU runs compute at a time (default: by a fixed rule).",
    transform: PositiveInt.init(parsing:))
  var microBatch: PositiveInt?

  @OptionGroup(title: "The network's definition")
  var network: NetworkFlags

  @Option(help: "A weight file (default: fresh weights).", completion: .file())
  var weights: String?

  @Option(
    parsing: .unconditional, help: "Measure at least so long: 3s, 500ms (default: 3s).",
    transform: DurationOption.init(parsing:))
  var minTime = DurationOption(MeasuringRules.standard.minTime)

  @Option(help: "What comes first: the largest gap, the longest time, or the order of the run.")
  var sort = Order.gap

  @Option(
    parsing: .unconditional, help: "Print so many steps (default: all).",
    transform: PositiveInt.init(parsing:))
  var top: PositiveInt?

  @Option(
    help: "Write the last three runs as Chrome trace events, for Perfetto.", completion: .file())
  var trace: String?

  @Option(help: "table or json.")
  var format = TextFormat.table

  func validate() throws {
    _ = try network.options(for: model.model)
    do {
      _ = try rules()
    } catch {
      throw ValidationError("--min-time: \(error)")
    }
  }

  private func rules() throws(MeasuringRulesError) -> MeasuringRules {
    // All times are kept, so runs of microseconds must not go on for long; and which steps are slow
    // is known long before the median is to 2 %.
    try MeasuringRules(
      maxIterations: 10_000, minTime: minTime.duration,
      maxTime: max(minTime.duration, MeasuringRules.standard.maxTime), relativeHalfWidth: 0.5)
  }

  func run() throws {
    Interruption.watch()
    // Before OpenMP binds the process's threads to cores.
    let machine = MachineState.current()
    // A wrong name shall be found now, not after measuring.
    if let trace { _ = try AtomicFile(path: trace) }
    let loaded = try LoadedModel(
      model.model, try network.options(for: model.model), weights: weights)
    let run = try ProfileRun(
      loaded, batch: batchSize.value, imageSize: imageSize?.value ?? model.model.imageSize,
      execution: execution, threads: threads.count(on: machine),
      microBatch: microBatch?.value, rules: try rules())
    let runs = try run.measure { Interruption.requested }
    if let trace {
      let title = "\(model.model.name), batch \(batchSize.value), \(execution.rawValue)"
      try AtomicFile.write(
        ChromeTrace(title, run.profiler.steps, runs.times.suffix(3)).text, to: trace)
    }
    if !runs.times.isEmpty {
      let report = try run.report(of: runs, on: machine).sorted(by: sort, top: top?.value)
      switch format {
      case .json: try Console.output(JSONValue(encoding: report).text(indented: true) + "\n")
      case .table: try Console.output(report.text)
      }
    }
    if Interruption.requested { throw ExitCode(Interruption.exitCode) }
  }
}
