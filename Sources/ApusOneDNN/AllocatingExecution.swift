import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

/// Runs a plan step by step, allocating each result when it is made and releasing it after its last
/// reader, as op-by-op frameworks do.
final class AllocatingExecution: RecordedExecution {
  private let program: OneDNNProgram
  private let stream: Stream
  private let kernels: [BoundKernel]
  private let releases: [[Int]]
  private let allocator = CachingAllocator()

  init(_ program: OneDNNProgram) throws(BackendError) {
    self.program = program
    let plan = program.plan
    stream = try Stream()
    var kernels: [BoundKernel] = []
    for (kernel, step) in zip(program.kernels, plan.steps) {
      kernels.append(try BoundKernel(kernel, step))
    }
    self.kernels = kernels
    releases = Plan.releases(
      after: plan.steps, keeping: Set(plan.results.map(\.operand.buffer)))
  }

  func start(
    _ inputs: [DeviceTensor], _ recorder: StepRecorder?
  ) throws(BackendError) -> [DeviceTensor] {
    let inputs = try program.validated(inputs)
    ThreadTeam.setSize(program.threads)
    let buffers = program.plan.buffers
    var live: [Int: UnsafeMutableRawPointer] = [:]
    func address(_ buffer: Int) -> UnsafeMutableRawPointer? {
      switch buffers[buffer].place {
      case .input(let index):
        inputs[index].storage.bytes.baseAddress.map { $0 + inputs[index].offsetInBytes }
      case .parameter, .constant, .prepared: program.statics[buffer]?.address
      case .result, .arena, .allocated: live[buffer]
      }
    }
    func release(_ buffer: Int) {
      guard let block = live.removeValue(forKey: buffer) else { return }
      allocator.release(block, sizeInBytes: buffers[buffer].sizeInBytes)
    }
    defer { for buffer in Array(live.keys) { release(buffer) } }
    for (index, step) in program.plan.steps.enumerated() {
      for result in step.results {
        live[result.buffer] = try allocator.allocate(
          sizeInBytes: buffers[result.buffer].sizeInBytes)
      }
      let size = kernels[index].scratchpadSizeInBytes
      let scratchpad = size == 0 ? nil : try allocator.allocate(sizeInBytes: size)
      try kernels[index].bind(scratchpad: scratchpad, address)
      recorder?.mark()
      try kernels[index].run(stream.pointer)
      recorder?.mark()
      if let scratchpad { allocator.release(scratchpad, sizeInBytes: size) }
      for buffer in releases[index] { release(buffer) }
    }
    try stream.wait()
    defer { withExtendedLifetime(inputs) {} }
    let results = try program.makeResults()
    program.copyResults(to: results, address)
    return results.map(DeviceTensor.host)
  }
}
