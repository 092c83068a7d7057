import Apus
import ApusBench
import ArgumentParser
import Foundation

/// `apus bench`
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how long networks take.",
    discussion: """
      A comma list is a sweep: every combination is measured, each in a process of its own, whose \
      threads are bound to cores. Logits of the compiled execution are compared with the eager \
      one's, those of XLA devices with the CPU's; the loss of a training must be finite. \
      Exit code 3: some cell failed, ran out of memory or took too long; 130: interrupted, with \
      the results so far.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, markdown, csv, json, jsonl
  }

  @Option(
    name: [.short, .customLong("model")],
    help: "Networks, or patterns such as 'vgg*'; see `apus models`.",
    transform: CommaList<ModelPattern>.init(parsing:))
  var models: CommaList<ModelPattern>

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: "Images that run together, or max: as many as fit (default: 1).",
    transform: CommaList<BatchOption>.init(parsing:))
  var batchSize = CommaList([BatchOption.size(1)])

  @Option(
    help: ArgumentHelp(
      "infer, train, forward-backward (default: infer).",
      discussion:
        "train: steps of stochastic gradient descent with momentum, on random images and labels; forward-backward: the loss and the gradients of all parameters."
    ),
    transform: CommaList<ModeOption>.init(parsing:))
  var mode = CommaList([ModeOption.infer])

  @Option(
    help: "eager, compiled (default: compiled).",
    transform: CommaList<ExecutionOption>.init(parsing:))
  var execution = CommaList([ExecutionOption.compiled])

  @Option(
    help: "cpu, xla:cpu, xla:cuda, xla:cuda:N (default: cpu).",
    transform: CommaList<DeviceOption>.init(parsing:))
  var device = CommaList([DeviceOption.cpu])

  @Option(
    help: "fp32, and on XLA devices tf32, bf16, fp16 (default: fp32).",
    transform: CommaList<PrecisionOption>.init(parsing:))
  var precision = CommaList([PrecisionOption.float32])

  @Option(
    parsing: .unconditional,
    help:
      "Of the CPU: numbers, or auto: one for each physical core the process may use (default: auto).",
    transform: CommaList<ThreadCountOption>.init(parsing:))
  var threads = CommaList([ThreadCountOption.auto])

  @Option(
    parsing: .unconditional,
    help: "The side of the square images, in pixels (default: the network's own).",
    transform: PositiveInt.init(parsing:))
  var imageSize: PositiveInt?

  @OptionGroup(title: "The CPU")
  var cpu: CPUFlags

  @OptionGroup(title: "XLA devices")
  var xla: XLAFlags

  @OptionGroup(title: "The networks' definitions")
  var network: NetworkFlags

  @Option(help: "A weight file of the one network (default: fresh weights).", completion: .file())
  var weights: String?

  @OptionGroup(title: "Measuring")
  var measuring: MeasuringFlags

  @OptionGroup(title: "The sweep")
  var sweep: SweepFlags

  @Option(
    help:
      "table, markdown, csv (every column there is), json or jsonl (one row a line, as soon as it is there)."
  )
  var format = Format.table

  /// The networks, each once.
  var listedModels: [Model] {
    var names: Set<String> = []
    return models.elements.flatMap(\.models).filter { names.insert($0.name).inserted }
  }

  func validate() throws {
    _ = try SweepMatrix(self)
    let models = listedModels
    if weights != nil && models.count > 1 {
      throw ValidationError(
        "--weights: must be of one network, got \(models.count); measure each by itself")
    }
    let hasLargest = batchSize.elements.contains { if case .max = $0 { true } else { false } }
    if let device = device.elements.first(where: { !$0.isCPU }), hasLargest {
      throw ValidationError(
        "-b max: must come with the device cpu, whose memory is planned, got \(device); "
          + "give numbers")
    }
  }

  func run() throws {
    if let cell = sweep.cell?.cell { return try measure(cell) }
    Interruption.watch()
    let machine = MachineState.current()
    let matrix = try SweepMatrix(self)
    try requireWeights(of: matrix)
    let begun = sweep.resume ? try sweep.output.flatMap(RunWriter.plan(in:)) : nil
    let entries = matrix.entries(on: machine, begun: begun)
    let plan = SweepPlan(
      command: Array(ProcessInfo.processInfo.arguments.dropFirst()), settings: settings,
      repetitions: sweep.repetitions.value, cells: entries.map(\.cell))
    let forecast = SweepForecast(entries, try measuring.rules(), cpu)
    if sweep.dryRun { return try forecast.output(plan, format) }
    let runner = try SweepRunner(plan, entries.map(\.flaw), forecast, sweep, machine)
    var report = BenchReport(format)
    try runner.run(&report)
    try report.finish()
  }

  /// Throws where a file of weights is not of each of the networks: that shall end all, not be rows.
  private func requireWeights(of matrix: SweepMatrix) throws {
    guard let weights else { return }
    for network in matrix.networks where network.flaw == nil {
      _ = try LoadedModel(network.model, network.options.get(), weights: weights)
    }
  }

  /// What decides about the numbers beside the cells.
  private var settings: [String: String] {
    let given: [(String, String?)] = [
      ("weights", weights), ("classes", (network.classes?.value).map(String.init)),
      ("stem", network.stem.rawValue), ("order", network.order?.rawValue),
      ("padding", network.padding?.rawValue), ("branch-activation", "\(network.branchActivation)"),
      ("zero-branch", "\(network.zeroBranch)"), ("dropout", network.dropout.map { "\($0)" }),
      ("drop-connect", network.dropConnect.map { "\($0)" }), ("exact", "\(cpu.exact)"),
      ("tuning", cpu.tuning.rawValue), ("micro-batch", (cpu.microBatch?.value).map(String.init)),
      ("plugin", xla.plugin),
      ("xla-option", xla.options.isEmpty ? nil : "\(xla.options)"),
      ("min-time", "\(measuring.minTime.duration)"), ("max-time", "\(measuring.maxTime.duration)"),
      ("min-iterations", "\(measuring.minIterations.value)"),
      ("runs", (measuring.runs?.value).map(String.init)),
      ("iterations", (measuring.iterations?.value).map(String.init)),
    ]
    return Dictionary(
      uniqueKeysWithValues: given.compactMap { name, value in
        value.map { (name, $0) }
      })
  }
}
