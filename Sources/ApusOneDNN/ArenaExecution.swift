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
  private(set) var firstResult: FirstResultClock
  /// The steps that read or write the caller's memory, and where it was in the last micro-batch.
  private var inputUsers: [Int] = []
  private var inputAddresses: [UnsafeMutableRawPointer?]

  init(_ program: OneDNNProgram) throws(BackendError) {
    self.program = program
    firstResult = FirstResultClock(program.plan)
    let plan = program.plan
    ThreadTeam.setSize(program.threads)
    arena = try ArenaMemory(sizeInBytes: plan.arenaSizeInBytes, threads: program.threads)
    stream = try Stream()
    inputAddresses = plan.inputs.map { _ in nil }
    for (index, step) in plan.steps.enumerated() {
      let kernel = try BoundKernel(program.kernels[index], step)
      kernels.append(kernel)
      if (step.operands + step.results).contains(where: { isInput($0.buffer) }) {
        inputUsers.append(index)
      } else {
        try bind(index)
      }
    }
  }

  func start(
    _ inputs: [DeviceTensor], _ recorder: StepRecorder?
  ) throws(BackendError) -> [DeviceTensor] {
    let memory = try RunMemory(inputs, of: program)
    ThreadTeam.setSize(program.threads)
    defer { withExtendedLifetime(memory) {} }
    let results = program.makeResults(memory)
    firstResult.start()
    for microBatch in 0..<program.microBatches.count {
      try bind(memory.inputs, microBatch)
      for (index, kernel) in kernels.enumerated() {
        recorder?.mark()
        try kernel.run(stream.pointer)
        recorder?.mark()
        firstResult.mark(afterStep: index)
      }
      try stream.wait()
      program.copyResults(of: microBatch, to: results, address)
    }
    return program.tensors(results)
  }

  /// Lets kernels read a micro-batch's images where the caller has them.
  private func bind(_ inputs: [HostTensor], _ microBatch: Int) throws(BackendError) {
    var moved = false
    for (index, input) in inputs.enumerated() {
      let offset =
        input.offsetInBytes + microBatch * program.plan.inputs[index].type.sizeInBytes
      let address = input.storage.bytes.baseAddress.map { $0 + offset }
      moved = moved || inputAddresses[index] != address
      inputAddresses[index] = address
    }
    if moved { for step in inputUsers { try bind(step) } }
  }

  private func bind(_ step: Int) throws(BackendError) {
    let scratchpad = program.plan.scratchpads[step].offset
    try kernels[step].bind(
      scratchpad: arena.storage.bytes.baseAddress.map { $0 + scratchpad }, address)
  }

  private func isInput(_ buffer: Int) -> Bool {
    if case .input = program.plan.buffers[buffer].place { true } else { false }
  }

  private func address(_ buffer: Int) -> UnsafeMutableRawPointer? {
    switch program.plan.buffers[buffer].place {
    case .input(let index): inputAddresses[index]
    case .arena(let offset): arena.storage.bytes.baseAddress.map { $0 + offset }
    case .parameter, .constant, .prepared: program.statics[buffer]?.address
    case .allocated: nil
    }
  }
}
