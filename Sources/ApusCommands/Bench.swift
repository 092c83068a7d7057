import Apus
import ApusBench
import ArgumentParser

/// `apus bench`
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how long networks take.",
    discussion: """
      A comma list is a sweep: every combination is measured. Logits of the compiled execution \
      are compared with the eager one's, those of XLA devices with the CPU's; the loss of a \
      training must be finite. Exit code 3: some cell failed or ran out of memory; \
      130: interrupted, with the results so far.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json, jsonl
  }

  @Option(
    name: [.short, .customLong("model")], help: "Networks; see `apus models`.",
    transform: CommaList<ModelOption>.init(parsing:))
  var models: CommaList<ModelOption>

  @Option(
    name: [.short, .long], parsing: .unconditional, help: "Images that run together (default: 1).",
    transform: CommaList<PositiveInt>.init(parsing:))
  var batchSize = CommaList([PositiveInt(1)])

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

  @Option(help: "table, json or jsonl (one row a line, as soon as it is there).")
  var format = Format.table

  func validate() throws {
    for option in models.elements { _ = try network.options(for: option.model) }
    if weights != nil && models.elements.count > 1 {
      throw ValidationError(
        "--weights: must be of one network, got \(models.elements.count); measure each by itself")
    }
    if iterations != nil && runs == nil {
      throw ValidationError("--iterations: must come with --runs, got it alone")
    }
    for device in device.elements {
      for precision in precision.elements { try precision.require(on: device) }
    }
    do {
      _ = try rules()
    } catch {
      throw ValidationError("\(error)")
    }
  }

  private func rules() throws(MeasuringRulesError) -> MeasuringRules {
    if let runs {
      return try .fixed(warmUps: 2, iterations: runs.value * (iterations?.value ?? 10))
    }
    return try MeasuringRules(
      minIterations: minIterations.value, minTime: minTime.duration, maxTime: maxTime.duration)
  }

  func run() throws {
    Interruption.watch()
    // Before OpenMP binds the process's threads to cores.
    let machine = MachineState.current()
    var report = BenchReport(format)
    let devices = try OpenDevices(device.elements, cpu, xla)
    let bench = CellRunner(
      rules: try rules(), runs: runs?.value ?? CellRunner.runs, machine: machine, devices: devices)
    for option in models.elements where !Interruption.requested {
      let loaded = try bench.load(
        option.model, try network.options(for: option.model), imageSize: imageSize?.value,
        weights: weights, for: mode.elements)
      for cell in cells(machine) where !Interruption.requested {
        report.announce("\(loaded.model.name), \(cell) …")
        try report.add(bench.run(cell, loaded))
      }
    }
    try report.finish()
  }

  /// Every combination, those to be compared beside each other.
  private func cells(_ machine: MachineState) -> [CellRunner.Cell] {
    var cells: [CellRunner.Cell] = []
    for batch in batchSize.elements {
      for mode in mode.elements {
        for device in device.elements {
          // XLA has threads of its own.
          let threads = device.isCPU ? threads.elements : [.auto]
          for precision in precision.elements {
            for threads in threads {
              cells += execution.elements.map { execution in
                CellRunner.Cell(
                  mode: mode, execution: execution, batch: batch.value, device: device,
                  precision: precision, threads: threads.count(on: machine))
              }
            }
          }
        }
      }
    }
    return cells
  }
}
