import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

/// Runs a compiled plan in one arena, once for each micro-batch; nothing is allocated between inputs
/// and results.
final class ArenaExecution: RecordedExecution {
  private let program: OneDNNProgram
  private let arena: ArenaMemory
  private let stream: Stream
  private var kernels: [BoundKernel] = []
  /// The steps that read or write the caller's memory, and where it was in the last micro-batch.
  private var callersSteps: [Int] = []
  private var inputAddresses: [UnsafeMutableRawPointer?]
  private var resultAddresses: [UnsafeMutableRawPointer?]
  private let updates: UpdateMemory

  init(_ program: OneDNNProgram) throws(BackendError) {
    self.program = program
    let plan = program.plan
    ThreadTeam.setSize(program.threads)
    arena = try ArenaMemory(sizeInBytes: plan.arenaSizeInBytes, threads: program.threads)
    stream = try Stream()
    inputAddresses = plan.inputs.map { _ in nil }
    resultAddresses = plan.results.map { _ in nil }
    updates = UpdateMemory(plan, threads: program.threads)
    for (index, step) in plan.steps.enumerated() {
      let kernel = try BoundKernel(program.kernels[index], step)
      kernels.append(kernel)
      if (step.operands + step.results).contains(where: { isCallers($0.buffer) }) {
        callersSteps.append(index)
      } else {
        try bind(index)
      }
    }
  }

  func start(
    _ inputs: [DeviceTensor], _ recorder: StepRecorder?
  ) throws(BackendError) -> [DeviceTensor] {
    let inputs = try program.validated(inputs)
    ThreadTeam.setSize(program.threads)
    defer { withExtendedLifetime(inputs) {} }
    let results = try program.makeResults(updates)
    for microBatch in 0..<program.microBatches.count {
      try bind(inputs, results, microBatch)
      for kernel in kernels {
        recorder?.mark()
        try kernel.run(stream.pointer)
        recorder?.mark()
      }
      try stream.wait()
      program.copyResults(of: microBatch, to: results, address)
    }
    return results.map(DeviceTensor.host)
  }

  /// Lets kernels read a micro-batch's images, and write updates, where the caller has them.
  private func bind(
    _ inputs: [HostTensor], _ results: [HostTensor], _ microBatch: Int
  ) throws(BackendError) {
    var moved = false
    for (index, input) in inputs.enumerated() {
      let offset =
        input.offsetInBytes + microBatch * program.plan.inputs[index].type.sizeInBytes
      let address = input.storage.bytes.baseAddress.map { $0 + offset }
      moved = moved || inputAddresses[index] != address
      inputAddresses[index] = address
    }
    for (index, result) in results.enumerated() where updates.offsets[index] != nil {
      let address = result.storage.bytes.baseAddress.map { $0 + result.offsetInBytes }
      moved = moved || resultAddresses[index] != address
      resultAddresses[index] = address
    }
    if moved { for step in callersSteps { try bind(step) } }
  }

  private func bind(_ step: Int) throws(BackendError) {
    let scratchpad = program.plan.scratchpads[step].offset
    try kernels[step].bind(
      scratchpad: arena.storage.bytes.baseAddress.map { $0 + scratchpad }, address)
  }

  private func isCallers(_ buffer: Int) -> Bool {
    switch program.plan.buffers[buffer].place {
    case .input, .result: true
    case .arena, .parameter, .constant, .prepared, .allocated: false
    }
  }

  private func address(_ buffer: Int) -> UnsafeMutableRawPointer? {
    switch program.plan.buffers[buffer].place {
    case .input(let index): inputAddresses[index]
    case .result(let index): resultAddresses[index]
    case .arena(let offset): arena.storage.bytes.baseAddress.map { $0 + offset }
    case .parameter, .constant, .prepared: program.statics[buffer]?.address
    case .allocated: nil
    }
  }
}
