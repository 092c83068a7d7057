import ApusIR
import ApusPlan
import ApusReference
import ApusRuntime
import COneDNN

/// A kernel with the memory of one execution: what a run calls, without looking anything up.
final class BoundKernel {
  private let step: Step
  private let primitive: PrimitiveKernel?
  private let team: TeamCall?
  private var memories: [Handle] = []
  private var arguments: [dnnl_exec_arg_t] = []
  private var operands: [UnsafeMutableRawPointer?]
  private var results: [UnsafeMutableRawPointer?]

  let scratchpadSizeInBytes: Int

  init(_ kernel: Kernel, _ step: Step) throws(BackendError) {
    self.step = step
    operands = step.operands.map { _ in nil }
    results = step.results.map { _ in nil }
    switch kernel {
    case .primitive(let kernel):
      (primitive, team) = (kernel, nil)
      scratchpadSizeInBytes = kernel.scratchpadSizeInBytes
    case .own(let kernel):
      (primitive, team) = (nil, TeamCall(kernel))
      scratchpadSizeInBytes = kernel.scratchSizeInBytes
    case .reference: (primitive, team, scratchpadSizeInBytes) = (nil, nil, 0)
    }
    guard let primitive else { return }
    let engine = try Engine.pointer()
    for argument in primitive.arguments {
      let memory = try Handle("dnnl_memory_create", destroy: dnnl_memory_destroy) {
        dnnl_memory_create($0, argument.description.pointer, engine, nil)
      }
      memories.append(memory)
      arguments.append(dnnl_exec_arg_t(arg: argument.index, memory: memory.pointer))
    }
  }

  /// Gives every tensor its place.
  func bind(
    scratchpad: UnsafeMutableRawPointer?, _ address: (_ buffer: Int) -> UnsafeMutableRawPointer?
  ) throws(BackendError) {
    for (index, operand) in step.operands.enumerated() {
      operands[index] = address(operand.buffer).map { $0 + operand.offset }
    }
    for (index, result) in step.results.enumerated() {
      results[index] = address(result.buffer).map { $0 + result.offset }
    }
    team?.bind(operands, results, scratchpad)
    guard let primitive else { return }
    for (argument, memory) in zip(primitive.arguments, memories) {
      let place =
        switch argument.tensor {
        case .operand(let index): operands[index]
        case .result(let index): results[index]
        case .scratchpad: scratchpad
        }
      try check(
        dnnl_memory_set_data_handle(memory.pointer, place), "dnnl_memory_set_data_handle")
    }
  }

  func run(_ stream: OpaquePointer) throws(BackendError) {
    if let team { return team.run() }
    guard let primitive else { return runReference() }
    try check(
      dnnl_primitive_execute(
        primitive.primitive.pointer, stream, Int32(arguments.count), arguments),
      "dnnl_primitive_execute")
  }

  private func runReference() {
    guard case .op(let op) = step.kind else { return }
    var values = zip(step.operands, operands).map { operand, place in
      HostTensor(
        operand.type,
        storage: HostTensor.Storage(
          adopting: UnsafeMutableRawBufferPointer(
            start: place, count: operand.type.sizeInBytes)
        ) { _ in }, offsetInBytes: 0)
    }
    if case .binary = op {
      values = values.map { broadcast($0, to: step.results[0].type.shape) }
    }
    let outputs = evaluate(op, values, step.results.map(\.type))
    for (place, output) in zip(results, outputs) {
      output.withUnsafeBytes { bytes in
        if let source = bytes.baseAddress {
          place?.copyMemory(from: source, byteCount: bytes.count)
        }
      }
    }
  }

  private func broadcast(_ tensor: HostTensor, to shape: Shape) -> HostTensor {
    if tensor.shape == shape { return tensor }
    let whole = Broadcast(to: shape, axes: Array(shape.indices))
    return evaluate(.broadcast(whole), [tensor], [TensorType(tensor.dtype, shape)])[0]
  }
}
