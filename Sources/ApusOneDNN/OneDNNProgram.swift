import ApusIR
import ApusPlan
import ApusRuntime

/// A plan with its kernels and prepared parameters.
struct OneDNNProgram: Program {
  let plan: Plan
  let kernels: [Kernel]
  let statics: [Int: StaticBuffer]
  let mode: Planner.Mode
  /// The plan is of one of them.
  let microBatches: MicroBatches
  let threads: Int
  /// The place among the inputs of each parameter and state that runs update.
  let statePlaces: [String: Int]

  init(
    _ plan: Plan, _ kernels: [Kernel], _ statics: [Int: StaticBuffer], _ mode: Planner.Mode,
    _ microBatches: MicroBatches, threads: Int
  ) {
    self.mode = mode
    self.microBatches = microBatches
    self.plan = plan
    self.kernels = kernels
    self.statics = statics
    self.threads = threads
    var places: [String: Int] = [:]
    for (place, input) in microBatches.inputs.enumerated() {
      if let path = input.path { places[path] = place }
    }
    statePlaces = places
  }

  var inputs: [Input] { microBatches.inputs }
  var outputs: [Graph.Output.Role] { plan.results.map(\.role) }

  var plannedSizeInBytes: PlannedSize {
    func size(_ isState: Bool) -> Int {
      inputs.reduce(0) { ($1.path != nil) == isState ? $0 + $1.type.sizeInBytes : $0 }
    }
    let results = zip(outputs, microBatches.resultTypes).reduce(0) { sum, result in
      if case .result = result.0 { sum + result.1.sizeInBytes } else { sum }
    }
    return PlannedSize(
      parameters: plan.preparedSizeInBytes, arena: plan.peakSizeInBytes, states: size(true),
      arguments: size(false), results: results)
  }

  func makeExecution() throws(BackendError) -> any Execution { try makeRecordedExecution() }

  func makeRecordedExecution() throws(BackendError) -> any RecordedExecution {
    try HostMemory.require(plan.peakSizeInBytes)
    switch mode {
    case .compiled: return try ArenaExecution(self)
    case .eager: return try AllocatingExecution(self)
    }
  }

  func upload(_ tensor: HostTensor, input: Int) throws(BackendError) -> DeviceTensor {
    let expected = inputs[input]
    guard tensor.type == expected.type else {
      throw .wrongInput(name: expected.name, expected: expected.type, given: tensor.type)
    }
    return expected.path == nil ? .host(tensor) : .remote(StateTensor(copying: tensor))
  }

  /// Memory for the results of a run: new, or that of what is updated.
  func makeResults(_ memory: RunMemory) -> [HostTensor] {
    zip(outputs, microBatches.resultTypes).map { role, type in
      if case .update(let path) = role, let state = memory.state(path) { return state }
      return HostTensor(
        type, storage: HostTensor.Storage(sizeInBytes: type.sizeInBytes), offsetInBytes: 0)
    }
  }

  /// Copies the results of a micro-batch to where they belong, unless they are there already.
  func copyResults(
    of microBatch: Int = 0, to results: [HostTensor],
    _ address: (_ buffer: Int) -> UnsafeMutableRawPointer?
  ) {
    var updates: [(source: UnsafeMutableRawPointer, destination: UnsafeMutableRawPointer, Int)] = []
    for (planned, result) in zip(plan.results, results) {
      let size = planned.operand.type.sizeInBytes
      guard let buffer = address(planned.operand.buffer),
        let destination = result.storage.bytes.baseAddress
      else { continue }
      let source = buffer + planned.operand.offset
      switch planned.role {
      case .result: (destination + microBatch * size).copyMemory(from: source, byteCount: size)
      case .update: if source != destination { updates.append((source, destination, size)) }
      }
    }
    // Where an update is another one's old value, both are read before either is written.
    let written = Set(updates.map(\.destination))
    let old = updates.map { source, _, size in
      written.contains(source) ? Array(UnsafeRawBufferPointer(start: source, count: size)) : nil
    }
    for ((source, destination, size), old) in zip(updates, old) {
      guard let old else {
        destination.copyMemory(from: source, byteCount: size)
        continue
      }
      destination.copyMemory(from: old, byteCount: size)
    }
  }

  /// Hands the results of a run to the caller.
  func tensors(_ results: [HostTensor]) -> [DeviceTensor] {
    zip(outputs, results).map { role, tensor in
      switch role {
      case .result: .host(tensor)
      case .update: .remote(StateTensor(tensor.type, tensor.storage))
      }
    }
  }
}

extension OneDNNBackend {
  /// What a program's memory is for; `nil` for those of other backends.
  package static func memory(of program: any Program) -> PlanMemory? {
    guard let program = program as? OneDNNProgram else { return nil }
    var memory = program.plan.memory
    let planned = program.plannedSizeInBytes
    (memory.arguments, memory.results) = (planned.arguments, planned.results)
    return memory
  }

  /// The bytes of a program's arena, and the most of them that are in use at once.
  package static func arena(of program: any Program) -> (size: Int, largestLive: Int)? {
    guard let plan = (program as? OneDNNProgram)?.plan else { return nil }
    return (plan.arenaSizeInBytes, plan.largestLiveSizeInBytes)
  }

  /// Where a program's prepared forms lie, by key: programs that share a form have it at one place.
  package static func preparedForms(of program: any Program) -> [String: Int] {
    guard let program = program as? OneDNNProgram else { return [:] }
    var forms: [String: Int] = [:]
    for (buffer, form) in program.statics {
      guard case .prepared(let key) = program.plan.buffers[buffer].place else { continue }
      forms[key] = form.address.map { Int(bitPattern: $0) }
    }
    return forms
  }
}
