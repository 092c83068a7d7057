import Apus
import ApusBench
import ApusOneDNN
import ApusPJRT
import Foundation

/// Measures a cell of a benchmark.
struct CellRunner {
  /// Stretches of measured iterations, whose means a deviation is of.
  static let runs = 10

  let rules: MeasuringRules
  let runs: Int
  /// What may be planned, in bytes.
  let memoryLimit: Int?
  let devices: OpenDevices
  let clock = MonotonicClock()

  init(rules: MeasuringRules, runs: Int, memoryLimit: Int?, devices: OpenDevices) {
    self.rules = rules
    self.runs = runs
    self.memoryLimit = memoryLimit
    self.devices = devices
  }

  /// A network whose weights are not there yet.
  struct Network {
    let model: Model
    let options: NetworkOptions
    let imageSize: Int
    let weights: String?

    init(_ cell: SweepCell, _ model: Model, _ options: NetworkOptions, weights: String?) {
      self.model = model
      self.options = options
      self.weights = weights
      imageSize = cell.imageSize ?? model.imageSize
    }
  }

  struct Cell {
    let mode: ModeOption
    let execution: ExecutionOption
    let batch: Int
    let device: DeviceOption
    let precision: PrecisionOption
    /// Of the CPU; XLA has its own.
    let threads: Int

    /// - Throws: where a word of the cell is none of the command line's.
    init(_ words: SweepCell, on machine: MachineState) throws {
      mode = try ModeOption(parsing: words.mode)
      execution = try ExecutionOption(parsing: words.execution ?? "")
      batch = words.batchSize ?? 1
      device = try DeviceOption(parsing: words.device ?? "")
      precision = try PrecisionOption(parsing: words.precision ?? "")
      threads = words.threads ?? machine.defaultThreadCount
    }
  }

  /// Measures a cell; a failure is a row too, so that it costs a sweep nothing else.
  ///
  /// - Parameter row: about the cell, with nothing measured.
  func run(_ cell: Cell, _ network: Network, _ row: BenchRow) -> CellResult {
    var result = CellResult(row: row)
    if cell.device.isCPU && cell.execution == .compiled {
      (result.row.exact, result.row.tuning) = (devices.cpu.exact, devices.cpu.tuning.rawValue)
    }
    result.row.date = Date().ISO8601Format()
    do {
      result.samples = try measure(cell, network, &result.row)
    } catch let error as BackendError where error.isOutOfMemory {
      (result.row.status, result.row.reason) = (.oom, outOfMemory(error, cell, network))
    } catch let error as FreshWeightsError {
      (result.row.status, result.row.reason) = (.oom, error.description)
    } catch let error as PlannedMemoryError {
      (result.row.status, result.row.reason) = (.oom, error.description)
    } catch {
      (result.row.status, result.row.reason) = (.failed, "\(error)")
    }
    return result
  }

  /// Fills the row in, and returns the times of the iterations in milliseconds.
  private func measure(
    _ cell: Cell, _ network: Network, _ row: inout BenchRow
  ) throws -> [Double] {
    let graph = try network.graph(cell.mode.step, batch: cell.batch)
    let perImage = graph.macs / cell.batch
    (row.parameters, row.macs, row.flops) = (graph.parameterCount, perImage, 2 * perImage)
    if memoryLimit != nil, cell.device.isCPU {
      let memory = try devices.cpu.backend(cell.execution, threads: cell.threads)
        .memory(of: graph)
      row.plannedBytes = BenchRow.PlannedBytes(memory)
      try requireWithinLimit(row)
    }
    if cell.device.isCPU { SpeedCheck.prepare(threads: cell.threads) }
    return switch cell.mode {
    case .infer: try measureForward(cell, network, graph, &row)
    case .train, .forwardBackward:
      try tracingLoss(cell, network, graph) { try measureTraining(cell, network, graph, &row) }
    }
  }

  private func measureForward(
    _ cell: Cell, _ network: Network, _ graph: Graph, _ row: inout BenchRow
  ) throws -> [Double] {
    var peaks = BenchRow.PhasePeaks(baseline: ProcessMemory.residentBytes())
    var start = clock.nanoseconds
    let loaded = try ProcessMemory.peakBytes {
      try LoadedModel(network.model, network.options, weights: network.weights).parameters
    }
    (row.loadMs, peaks.load) = (milliseconds(since: start), loaded.peakBytes)
    let images = try self.images(cell, network)
    let backend = devices.backend(
      cell.device, cell.execution, cell.precision, threads: cell.threads)
    let device = devices[cell.device]
    if let device { _ = try device.clearMemoryStatistics() }
    start = clock.nanoseconds
    let compiled = try ProcessMemory.peakBytes {
      let program = try backend.compile(graph, PreparedParameters(loaded.result))
      return (program: program, execution: try program.makeExecution())
    }
    (row.compileMs, peaks.compile) = (milliseconds(since: start), compiled.peakBytes)
    let (program, execution) = compiled.result
    row.microBatch = OneDNNBackend.microBatch(of: program)
    row.plannedBytes = try .init(of: program)
    try requireWithinLimit(row)

    // The images are where the program reads them, as a data loader leaves them.
    let inputs = [try program.upload(images, input: 0)]
    start = clock.nanoseconds
    let first = try ProcessMemory.peakBytes { try run(execution, inputs) }
    (row.firstMs, peaks.first) = (milliseconds(since: start), first.peakBytes)
    let logits = try first.result[0].hostTensor()

    let steady = try ProcessMemory.peakBytes {
      try ApusBench.measure(rules, clock: clock, shouldStop: isInterrupted) {
        let results = try run(execution, inputs)
        withExtendedLifetime(results) {}
      }
    }
    peaks.steady = steady.peakBytes
    (row.peakRssBytes, row.memoryMethod) = (peaks, ProcessMemory.method)
    if let device { row.devicePeakBytes = try device.memoryStatistics()?.peakBytesInUse }
    finish(&row, steady.result, cell)
    // Last, so that it has no part in the memory of the phases.
    if !isInterrupted() { try check(logits, loaded.result, cell, network, images, &row) }
    return steady.result.milliseconds
  }

  /// - Throws: where more is planned than the cell may take.
  func requireWithinLimit(_ row: BenchRow) throws(PlannedMemoryError) {
    guard let memoryLimit, let planned = row.plannedBytes?.total, planned > memoryLimit else {
      return
    }
    throw PlannedMemoryError(planned: planned, limit: memoryLimit)
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
    row.warnings += MeasurementWarning.about(samples, rules: rules).map(\.description)
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

  func isInterrupted() -> Bool { Interruption.requested }

  func milliseconds(since start: Int64) -> Double {
    Double(clock.nanoseconds - start) * 1e-6
  }
}

/// A cell that was planned to take more memory than it may.
struct PlannedMemoryError: Error, CustomStringConvertible {
  let planned, limit: Int

  var description: String {
    "out of memory: must be planned to take at most --memory-limit \(HumanNumber.bytes(limit)), got "
      + "\(HumanNumber.bytes(planned)); use a smaller batch or image"
  }
}

extension CellRunner.Network {
  /// The graph of a training step, or of a forward pass where `step` is nil.
  func graph(_ step: TrainingStep?, batch: Int) throws -> Graph {
    guard let step else { return try model.graph(batch: batch, imageSize: imageSize, options) }
    return try model.graph(step, batch: batch, imageSize: imageSize, options)
  }
}
