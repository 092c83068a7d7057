import Apus
import ApusBench
import ApusOneDNN
import ApusPJRT

extension CellRunner {
  /// Measures training steps: their halves apart, the memory they take, the loss they begin and end
  /// with.
  func measureTraining(
    _ cell: Cell, _ network: Network, _ graph: Graph, _ row: inout BenchRow
  ) throws -> [Double] {
    let baseline = ProcessMemory.residentBytes()
    let forward = try forwardBefore(cell, network)
    let device = devices[cell.device]
    if let device { _ = try device.clearMemoryStatistics() }

    var run = try makeRun(cell, network, graph, &row)
    row.peakRssBytes?.baseline = baseline
    let start = clock.nanoseconds
    let first = try ProcessMemory.peakBytes { try run.step() }
    row.firstMs = milliseconds(since: start)
    row.peakRssBytes?.first = first.peakBytes
    let loss = try run.loss()
    let steady = try ProcessMemory.peakBytes {
      try ApusBench.measure(rules, clock: clock, shouldStop: isInterrupted) { try run.step() }
    }
    row.peakRssBytes?.steady = steady.peakBytes
    row.memoryMethod = ProcessMemory.method
    if let device { row.devicePeakBytes = try device.memoryStatistics()?.peakBytesInUse }
    row.loss = BenchRow.Loss(first: loss, last: try run.loss())
    finish(&row, steady.result, cell)
    let samples = steady.result.milliseconds
    let halves = forward ?? run.forward.suffix(samples.count).map { Double($0) * 1e-6 }
    take(samples, forward: halves, &row)
    return samples
  }

  /// Compiles a step and gives it what it needs.
  private func makeRun(
    _ cell: Cell, _ network: Network, _ graph: Graph, _ row: inout BenchRow
  ) throws -> TrainingRun {
    var start = clock.nanoseconds
    let loaded = try ProcessMemory.peakBytes { try network.session(backend(cell), graph) }
    (row.loadMs, row.peakRssBytes) = (milliseconds(since: start), .init(load: loaded.peakBytes))
    start = clock.nanoseconds
    let compiled = try ProcessMemory.peakBytes {
      try loaded.result.prepare(batch: cell.batch)
    }
    row.compileMs = milliseconds(since: start)
    row.peakRssBytes?.compile = compiled.peakBytes
    row.plannedBytes = try .init(of: compiled.result)
    try requireWithinLimit(row)
    let labels = labels(cell, network)
    return try TrainingRun(
      loaded.result, batch: cell.batch, images: images(cell, network), labels: labels)
  }

  /// The times of the forward half, by itself, on devices that run a step as a whole; `nil` where a
  /// step says how long its forward half takes.
  private func forwardBefore(_ cell: Cell, _ network: Network) throws -> [Double]? {
    if cell.device.isCPU { return nil }
    let graph = try network.graph(.loss, batch: cell.batch)
    var run = try TrainingRun(
      network.session(backend(cell), graph), batch: cell.batch, images: images(cell, network),
      labels: labels(cell, network))
    return try ApusBench.measure(rules, clock: clock, shouldStop: isInterrupted) {
      try run.step()
    }.milliseconds
  }

  func backend(_ cell: Cell) -> any Backend {
    devices.backend(cell.device, cell.execution, cell.precision, threads: cell.threads)
  }

  /// Uniformly distributed classes, the same for every execution.
  func labels(_ cell: Cell, _ network: Network) -> HostTensor {
    var random = RandomSource(seed: 1, stream: "labels")
    let classes = UInt64(network.options.classes)
    return HostTensor(
      TensorType(.int32, [cell.batch]), (0..<cell.batch).map { _ in Int32(random.next() % classes) }
    )
  }

  /// The means of the step and its halves, with the deviation of the runs' means.
  private func take(_ steps: [Double], forward: [Double], _ row: inout BenchRow) {
    row.runs = min(runs, steps.count)
    row.stepMs = .init(runs: runs, of: steps)
    row.forwardMs = .init(runs: runs, of: forward)
    if forward.count == steps.count {
      row.backwardMs = .init(runs: runs, of: zip(steps, forward).map { $0 - $1 })
    } else if let step = row.stepMs, let forward = row.forwardMs {
      // They were not measured together.
      let sd = ((step.sd ?? 0) * (step.sd ?? 0) + (forward.sd ?? 0) * (forward.sd ?? 0))
        .squareRoot()
      row.backwardMs = .init(mean: step.mean - forward.mean, sd: step.sd == nil ? nil : sd)
    }
  }
}

extension CellRunner.Network {
  /// A training that begins with the network's weights.
  ///
  /// Nobody else holds them: what runs update shall not lie in memory twice.
  func session(_ backend: any Backend, _ graph: Graph) throws -> Session {
    var store = try LoadedModel(model, options, weights: weights).parameters
    store.fill(from: graph)
    return Session(backend, store) { _ in graph }
  }
}

extension BenchRow.PlannedBytes {
  /// What is known of a program.
  init(of program: any Program) throws {
    let planned = program.plannedSizeInBytes
    self.init(parameters: planned.parameters, arena: planned.arena, total: planned.total)
    if let memory = OneDNNBackend.memory(of: program) { self.init(memory) }
    if let memory = try XLABackend.memory(of: program) {
      (arguments, results, aliased) = (memory.arguments, memory.results, memory.alias)
      total = memory.arguments + memory.results - memory.alias + memory.temporary
      temporary = memory.temporary
    }
  }

  init(_ memory: PlanMemory) {
    self.init(parameters: memory.parameters, arena: memory.arena, total: memory.total)
    prepared = memory.prepared
    (optimizerState, arguments, results) = (memory.optimizerState, memory.arguments, memory.results)
    (gradients, activations) = (memory.gradients, memory.activations)
    (temporary, scratch) = (memory.temporary, memory.scratch)
  }
}
