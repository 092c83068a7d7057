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
  }

  var inputs: [Input] { microBatches.inputs }
  var outputs: [Graph.Output.Role] { plan.results.map(\.role) }

  var plannedSizeInBytes: PlannedSize {
    PlannedSize(parameters: plan.preparedSizeInBytes, arena: plan.peakSizeInBytes)
  }

  func makeExecution() throws(BackendError) -> any Execution { try makeRecordedExecution() }

  func makeRecordedExecution() throws(BackendError) -> any RecordedExecution {
    try HostMemory.require(plan.peakSizeInBytes)
    switch mode {
    case .compiled: return try ArenaExecution(self)
    case .eager: return try AllocatingExecution(self)
    }
  }

  /// The inputs in host memory; throws unless they are of the program's types.
  func validated(_ inputs: [DeviceTensor]) throws(BackendError) -> [HostTensor] {
    var validated: [HostTensor] = []
    validated.reserveCapacity(inputs.count)
    for (index, expected) in self.inputs.enumerated() {
      let given = index < inputs.count ? inputs[index] : nil
      guard let given, given.type == expected.type else {
        throw .wrongInput(name: expected.name, expected: expected.type, given: given?.type)
      }
      validated.append(try given.hostTensor())
    }
    return validated
  }

  /// Memory for the results of a run, where they are made in place that of the updates.
  func makeResults(_ updates: UpdateMemory? = nil) throws(BackendError) -> [HostTensor] {
    let block = try updates?.block()
    return microBatches.resultTypes.enumerated().map { index, type in
      if let block, let offset = updates?.offsets[index] {
        return HostTensor(type, storage: block, offsetInBytes: offset)
      }
      return HostTensor(
        type, storage: HostTensor.Storage(sizeInBytes: type.sizeInBytes), offsetInBytes: 0)
    }
  }

  /// Copies the results of a micro-batch out of the execution's memory.
  func copyResults(
    of microBatch: Int = 0, to results: [HostTensor],
    _ address: (_ buffer: Int) -> UnsafeMutableRawPointer?
  ) {
    for (index, planned) in plan.results.enumerated() {
      if plan.buffers[planned.operand.buffer].place == .result(index) { continue }
      let size = planned.operand.type.sizeInBytes
      guard let source = address(planned.operand.buffer),
        let destination = results[index].storage.bytes.baseAddress
      else { continue }
      (destination + results[index].offsetInBytes + microBatch * size).copyMemory(
        from: source + planned.operand.offset, byteCount: size)
    }
  }
}

extension OneDNNBackend {
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
