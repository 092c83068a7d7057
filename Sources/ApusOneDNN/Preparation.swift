import ApusIR
import ApusPlan
import ApusReference
import ApusRuntime
import COneDNN

/// Memory whose contents no run changes.
struct StaticBuffer: Sendable {
  let storage: HostTensor.Storage
  let offsetInBytes: Int

  var address: UnsafeMutableRawPointer? { storage.bytes.baseAddress.map { $0 + offsetInBytes } }

  func releasePages(_ sizeInBytes: Int) {
    storage.releasePages(offsetInBytes..<offsetInBytes + sizeInBytes)
  }
}

/// Makes what a plan wants of the parameters, unless another program has made it already.
struct Preparation {
  private let plan: Plan
  private let library: OneDNNLibrary
  private let parameters: PreparedParameters
  private let threads: Int

  init(
    _ plan: Plan, _ library: OneDNNLibrary, _ parameters: PreparedParameters, threads: Int
  ) {
    self.threads = threads
    self.plan = plan
    self.library = library
    self.parameters = parameters
  }

  /// The buffers that the plan's steps and results read and that runs do not change.
  func run() throws(BackendError) -> [Int: StaticBuffer] {
    let wanted = plan.buffersRead
    var made: [Int: StaticBuffer] = [:]
    for buffer in wanted { made[buffer] = try existing(buffer) }
    let steps = try missingSteps(wanted.subtracting(made.keys), &made)
    try placeForms(steps, &made)
    let stream = try Stream()
    let releases = Plan.releases(after: steps, keeping: wanted)
    for (step, released) in zip(steps, releases) {
      try run(step, &made, stream)
      for buffer in released {
        // The original of a form need not stay beside it.
        made[buffer]?.releasePages(plan.buffers[buffer].sizeInBytes)
        made[buffer] = nil
      }
    }
    for buffer in wanted {
      if case .prepared(let key) = plan.buffers[buffer].place, let form = made[buffer] {
        parameters.keep(form, as: key)
      }
    }
    return made
  }

  /// A parameter, a constant, or a form that another program made.
  private func existing(_ buffer: Int) throws(BackendError) -> StaticBuffer? {
    switch plan.buffers[buffer].place {
    case .parameter(let path):
      guard let type = plan.parameterTypes[buffer] else { return nil }
      let tensor = try parameters.parameter(path, type)
      return StaticBuffer(storage: tensor.storage, offsetInBytes: tensor.offsetInBytes)
    case .constant(let constant):
      let tensor = evaluate(.constant(constant), [], [constant.type])[0]
      return StaticBuffer(storage: tensor.storage, offsetInBytes: tensor.offsetInBytes)
    case .prepared(let key): return parameters.form(key)
    case .input, .result, .arena, .allocated: return nil
    }
  }

  /// The preparation's steps that make buffers not there yet, in order; what they start from is
  /// added to `made`.
  private func missingSteps(
    _ missing: Set<Int>, _ made: inout [Int: StaticBuffer]
  ) throws(BackendError) -> [Step] {
    var missing = missing
    var steps: [Step] = []
    for step in plan.preparation.reversed()
    where step.results.contains(where: { missing.contains($0.buffer) }) {
      steps.append(step)
      for operand in step.operands where made[operand.buffer] == nil {
        made[operand.buffer] = try existing(operand.buffer)
        if made[operand.buffer] == nil { missing.insert(operand.buffer) }
      }
    }
    return steps.reversed()
  }

  /// Gives the forms that stay one block of memory, in large pages: kernels read all of them in
  /// every run.
  private func placeForms(
    _ steps: [Step], _ made: inout [Int: StaticBuffer]
  ) throws(BackendError) {
    let forms = Set(steps.flatMap(\.results).map(\.buffer)).intersection(plan.buffersRead).sorted()
    var offsets: [Int] = []
    var size = 0
    for form in forms {
      offsets.append(size)
      size += (plan.buffers[form].sizeInBytes + 63) / 64 * 64
    }
    let memory = try ArenaMemory(sizeInBytes: size, threads: threads)
    for (form, offset) in zip(forms, offsets) {
      made[form] = StaticBuffer(storage: memory.storage, offsetInBytes: offset)
    }
  }

  private func run(
    _ step: Step, _ made: inout [Int: StaticBuffer], _ stream: Stream
  ) throws(BackendError) {
    for result in step.results where made[result.buffer] == nil {
      made[result.buffer] = StaticBuffer(
        storage: HostTensor.Storage(sizeInBytes: plan.buffers[result.buffer].sizeInBytes),
        offsetInBytes: 0)
    }
    let kernel = try BoundKernel(try library.kernel(for: step), step)
    let scratchpad = HostTensor.Storage(sizeInBytes: kernel.scratchpadSizeInBytes)
    try kernel.bind(scratchpad: scratchpad.bytes.baseAddress) { made[$0]?.address }
    try kernel.run(stream.pointer)
    try stream.wait()
    withExtendedLifetime(scratchpad) {}
  }
}

/// An order of kernels on the CPU.
struct Stream {
  private let handle: Handle
  var pointer: OpaquePointer { handle.pointer }

  init() throws(BackendError) {
    let engine = try Engine.pointer()
    handle = try Handle("dnnl_stream_create", destroy: dnnl_stream_destroy) {
      dnnl_stream_create($0, engine, dnnl_stream_default_flags.rawValue)
    }
  }

  func wait() throws(BackendError) { try check(dnnl_stream_wait(pointer), "dnnl_stream_wait") }
}
