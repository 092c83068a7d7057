import Apus
import ApusBench
import ApusOneDNN
import ApusPJRT
import Foundation

/// Measures the cells of a benchmark, one after the other.
struct CellRunner {
  /// Stretches of measured iterations, whose means a deviation is of.
  static let runs = 10

  let rules: MeasuringRules
  let runs: Int
  let machine: MachineState
  let devices: OpenDevices
  let clock = MonotonicClock()

  init(rules: MeasuringRules, runs: Int, machine: MachineState, devices: OpenDevices) {
    self.rules = rules
    self.runs = runs
    self.machine = machine
    self.devices = devices
  }

  /// A network with its weights, and what loading them took.
  struct Network {
    let model: Model
    let options: NetworkOptions
    let imageSize: Int
    let weights: String?
    /// Empty where nothing but training is measured: each training begins with its own.
    let parameters: ParameterStore
    let loadMs: Double
    let peakBytes: Int?
  }

  struct Cell {
    let mode: ModeOption
    let execution: ExecutionOption
    let batch: Int
    let device: DeviceOption
    let precision: PrecisionOption
    /// Of the CPU; XLA has its own.
    let threads: Int
  }

  func load(
    _ model: Model, _ options: NetworkOptions, imageSize: Int?, weights: String?,
    for modes: [ModeOption]
  ) throws -> Network {
    let isRead = modes.contains(.infer)
    let start = clock.nanoseconds
    let loaded = try ProcessMemory.peakBytes {
      // A file that does not fit shall end all, not be a row of a training.
      guard isRead || weights != nil else { return ParameterStore() }
      return try LoadedModel(model, options, weights: weights).parameters
    }
    return Network(
      model: model, options: options, imageSize: imageSize ?? model.imageSize, weights: weights,
      parameters: isRead ? loaded.result : ParameterStore(), loadMs: milliseconds(since: start),
      peakBytes: loaded.peakBytes)
  }

  /// Measures a cell; a failure is a row too, so that it costs a sweep nothing else.
  func run(_ cell: Cell, _ network: Network) -> BenchRow {
    var row = self.row(cell, network)
    if cell.device.isCPU { SpeedCheck.prepare(threads: cell.threads) }
    do {
      let graph = try network.graph(cell.mode.step, batch: cell.batch)
      let perImage = graph.macs / cell.batch
      (row.parameters, row.macs, row.flops) = (graph.parameterCount, perImage, 2 * perImage)
      switch cell.mode {
      case .infer: try measure(cell, network, graph, &row)
      case .train, .forwardBackward:
        try tracingLoss(cell, network, graph) { try measureTraining(cell, network, graph, &row) }
      }
    } catch let error as BackendError where error.isOutOfMemory {
      row.status = .oom
      row.reason = outOfMemory(error, cell, network)
    } catch {
      row.status = .failed
      row.reason = "\(error)"
    }
    return row
  }

  private func measure(
    _ cell: Cell, _ network: Network, _ graph: Graph, _ row: inout BenchRow
  ) throws {
    let images = try self.images(cell, network)
    let backend = devices.backend(
      cell.device, cell.execution, cell.precision, threads: cell.threads)
    let device = devices[cell.device]
    if let device { _ = try device.clearMemoryStatistics() }
    var peaks = BenchRow.PhasePeaks(load: network.peakBytes)
    var start = clock.nanoseconds
    let compiled = try ProcessMemory.peakBytes {
      let program = try backend.compile(graph, PreparedParameters(network.parameters))
      return (program: program, execution: try program.makeExecution())
    }
    (row.compileMs, peaks.compile) = (milliseconds(since: start), compiled.peakBytes)
    let (program, execution) = compiled.result
    row.microBatch = OneDNNBackend.microBatch(of: program)
    let planned = program.plannedSizeInBytes
    row.plannedBytes = BenchRow.PlannedBytes(
      parameters: planned.parameters, arena: planned.arena,
      total: planned.parameters + planned.arena)

    // The images are where the program reads them, as a data loader leaves them.
    let inputs = [try program.upload(images, input: 0)]
    start = clock.nanoseconds
    let first = try ProcessMemory.peakBytes { try run(execution, inputs) }
    (row.firstMs, peaks.first) = (milliseconds(since: start), first.peakBytes)
    try check(first.result[0].hostTensor(), cell, network, images, &row)

    let steady = try ProcessMemory.peakBytes {
      try ApusBench.measure(rules, clock: clock, shouldStop: isInterrupted) {
        let results = try run(execution, inputs)
        withExtendedLifetime(results) {}
      }
    }
    (row.peakRssBytes, peaks.steady) = (peaks, steady.peakBytes)
    row.peakRssBytes?.steady = steady.peakBytes
    row.memoryMethod = ProcessMemory.method + "; the cells of a run share the process"
    if let device { row.devicePeakBytes = try device.memoryStatistics()?.peakBytesInUse }
    finish(&row, steady.result, cell)
  }

  /// Runs to the end: no time may be taken before the results are there.
  private func run(
    _ execution: any Execution, _ inputs: [DeviceTensor]
  ) throws(BackendError) -> [DeviceTensor] {
    let results = try execution.start(inputs)
    for result in results { try result.wait() }
    return results
  }

  func finish(_ row: inout BenchRow, _ samples: Samples, _ cell: Cell) {
    row.take(samples)
    if let median = row.latencyMs?.median, let flops = row.flops {
      row.gflopsPerSec = Double(flops * cell.batch) / median * 1e-6
    }
    if cell.device.isCPU { SpeedCheck.hold(&row, threads: cell.threads) }
    let warnings =
      MeasurementWarning.about(samples, rules: rules)
      + MeasurementWarning.about(machine, threads: cell.threads)
    row.warnings += warnings.map(\.description)
    if samples.nanoseconds.isEmpty {
      (row.status, row.reason) = (.skipped, "interrupted before the first run was measured")
    }
  }

  /// Normally distributed pixels, the same for every execution.
  func images(_ cell: Cell, _ network: Network) throws -> HostTensor {
    let type = TensorType(
      .float32, [cell.batch, network.model.input.channels, network.imageSize, network.imageSize])
    // The generator makes a second copy.
    try HostMemory.require(2 * type.sizeInBytes)
    var random = RandomSource(seed: 1, stream: "images")
    return random.tensor(.normal, type)
  }

  private func row(_ cell: Cell, _ network: Network) -> BenchRow {
    var row = BenchRow(status: .ok, model: network.model.name, mode: cell.mode.rawValue)
    (row.head, row.norm) = (network.options.head.rawValue, network.options.norm.rawValue)
    row.execution = cell.execution.rawValue
    (row.device, row.precision) = (cell.device.description, cell.precision.precision.rawValue)
    (row.batchSize, row.imageSize) = (cell.batch, network.imageSize)
    (row.threads, row.repeat) = (cell.device.isCPU ? cell.threads : nil, 1)
    if cell.device.isCPU && cell.execution == .compiled {
      (row.exact, row.tuning) = (devices.cpu.exact, devices.cpu.tuning.rawValue)
    }
    row.loadMs = network.loadMs
    (row.host, row.cpu) = (machine.host, machine.cpu)
    row.date = Date().ISO8601Format()
    return row
  }

  func isInterrupted() -> Bool { Interruption.requested }

  func milliseconds(since start: Int64) -> Double {
    Double(clock.nanoseconds - start) * 1e-6
  }
}

extension CellRunner.Cell: CustomStringConvertible {
  var description: String {
    let place = device.isCPU ? "" : ", \(device), \(precision.precision.rawValue)"
    let mode = mode == .infer ? "" : "\(mode.rawValue), "
    return "\(mode)batch \(batch), \(execution.rawValue)\(place)"
  }
}

extension CellRunner.Network {
  /// The graph of a training step, or of a forward pass where `step` is nil.
  func graph(_ step: TrainingStep?, batch: Int) throws -> Graph {
    guard let step else { return try model.graph(batch: batch, imageSize: imageSize, options) }
    return try model.graph(step, batch: batch, imageSize: imageSize, options)
  }
}
