import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

/// What runs one step: immutable, shared by all executions of a program.
enum Kernel: Sendable {
  case primitive(PrimitiveKernel)
  /// The reference, on row-major tensors.
  case reference(Step)
}

/// A primitive of the library and what it reads and writes.
struct PrimitiveKernel: Sendable {
  /// A tensor of the step, or its working memory.
  enum Tensor: Hashable, Sendable {
    case operand(Int)
    case result(Int)
    case scratchpad
  }

  struct Argument: Sendable {
    let index: Int32
    let tensor: Tensor
    let description: MemoryDescription
  }

  let primitive: Handle
  let arguments: [Argument]
  let scratchpadSizeInBytes: Int
}

/// A primitive description with the places of its tensors, from which a kernel is made.
struct Blueprint {
  let description: Handle
  var arguments: [PrimitiveKernel.Argument]

  /// - Parameter create: makes the primitive description from the engine and attributes.
  init(
    _ call: String, activation: Activation? = nil,
    create: (
      UnsafeMutablePointer<OpaquePointer?>, _ engine: OpaquePointer, _ attributes: OpaquePointer
    ) -> dnnl_status_t
  ) throws(BackendError) {
    let engine = try Engine.pointer()
    let attributes = try Attributes(activation: activation)
    description = try Handle(call, destroy: dnnl_primitive_desc_destroy) {
      create($0, engine, attributes.pointer)
    }
    arguments = []
  }

  /// The description of a tensor as the primitive wants it.
  func wanted(_ query: dnnl_query_t, _ index: Int32 = 0) throws(BackendError) -> MemoryDescription {
    guard let pointer = dnnl_primitive_desc_query_md(description.pointer, query, index) else {
      throw .library(call: "dnnl_primitive_desc_query_md", status: "no description")
    }
    return try MemoryDescription(copying: pointer)
  }

  var scratchpadSizeInBytes: Int {
    let pointer = dnnl_primitive_desc_query_md(
      description.pointer, dnnl_query_scratchpad_md, 0)
    return pointer.map { dnnl_memory_desc_get_size($0) } ?? 0
  }

  mutating func bind(
    _ index: Int32, _ tensor: PrimitiveKernel.Tensor, _ description: MemoryDescription
  ) {
    arguments.append(.init(index: index, tensor: tensor, description: description))
  }

  /// Generates the code.
  func kernel() throws(BackendError) -> PrimitiveKernel {
    let primitive = try Handle("dnnl_primitive_create", destroy: dnnl_primitive_destroy) {
      dnnl_primitive_create($0, description.pointer)
    }
    var arguments = arguments
    let size = scratchpadSizeInBytes
    if size > 0 {
      arguments.append(
        .init(
          index: DNNL_ARG_SCRATCHPAD, tensor: .scratchpad,
          description: try wanted(dnnl_query_scratchpad_md)))
    }
    return PrimitiveKernel(
      primitive: primitive, arguments: arguments, scratchpadSizeInBytes: size)
  }
}

/// A primitive's attributes: working memory from the caller, an activation after the result.
private struct Attributes {
  let handle: Handle
  var pointer: OpaquePointer { handle.pointer }

  init(activation: Activation?) throws(BackendError) {
    handle = try Handle("dnnl_primitive_attr_create", destroy: dnnl_primitive_attr_destroy) {
      dnnl_primitive_attr_create($0)
    }
    try check(
      dnnl_primitive_attr_set_scratchpad_mode(handle.pointer, dnnl_scratchpad_mode_user),
      "dnnl_primitive_attr_set_scratchpad_mode")
    guard let activation else { return }
    let postOps = try Handle("dnnl_post_ops_create", destroy: dnnl_post_ops_destroy) {
      dnnl_post_ops_create($0)
    }
    let (algorithm, alpha, beta) = activation.algorithm
    try check(
      dnnl_post_ops_append_eltwise(postOps.pointer, algorithm, alpha, beta),
      "dnnl_post_ops_append_eltwise")
    try check(
      dnnl_primitive_attr_set_post_ops(handle.pointer, postOps.pointer),
      "dnnl_primitive_attr_set_post_ops")
  }
}
