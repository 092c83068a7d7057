import ApusIR
import ApusPlan
import ApusRuntime
import CKernels
import COneDNN

/// What runs one step: immutable, shared by all executions of a program.
enum Kernel: Sendable {
  case primitive(PrimitiveKernel)
  case own(any TeamKernel)
  /// The reference, on row-major tensors.
  case reference(Step)

  /// Whether it is written for correctness, not for speed.
  var isReference: Bool { implementation.hasPrefix("ref") }

  /// Its name in profiles.
  var implementation: String {
    switch self {
    case .primitive(let primitive): primitive.implementation
    case .own(let kernel): kernel.implementation
    case .reference: "reference"
    }
  }
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
  /// The library's name for the code that it chose.
  let implementation: String
}

/// A primitive description with the places of its tensors, from which a kernel is made.
struct Blueprint {
  let description: Handle
  var arguments: [PrimitiveKernel.Argument]

  /// - Parameters:
  ///   - postOps: with the descriptions of what they read.
  ///   - create: makes the primitive description from the engine and attributes.
  init(
    _ call: String, postOps: [(postOp: PostOp, operand: MemoryDescription?)] = [],
    create: (
      UnsafeMutablePointer<OpaquePointer?>, _ engine: OpaquePointer, _ attributes: OpaquePointer
    ) -> dnnl_status_t
  ) throws(BackendError) {
    let engine = try Engine.pointer()
    let attributes = try Attributes(postOps)
    description = try Handle(call, destroy: dnnl_primitive_desc_destroy) {
      create($0, engine, attributes.pointer)
    }
    arguments = []
    for (index, (postOp, description)) in postOps.enumerated() {
      guard case .binary(_, let operand) = postOp, let description else { continue }
      bind(
        DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * Int32(index + 1) | DNNL_ARG_SRC_1,
        .operand(operand), description)
    }
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

  /// Whether a forward pass leaves notes for the backward pass.
  var needsWorkspace: Bool {
    guard
      let pointer = dnnl_primitive_desc_query_md(
        description.pointer, dnnl_query_workspace_md, 0)
    else { return false }
    return dnnl_memory_desc_get_size(pointer) > 0
  }

  /// Goes on to the implementation of that name; `false` where no later one has it.
  func advance(to name: String) -> Bool {
    while implementation != name {
      if dnnl_primitive_desc_next_impl(description.pointer) != dnnl_success { return false }
    }
    return true
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
      primitive: primitive, arguments: arguments, scratchpadSizeInBytes: size,
      implementation: implementation)
  }

  /// The library's name for the code it has chosen.
  var implementation: String {
    var name: UnsafePointer<CChar>?
    dnnl_primitive_desc_query(description.pointer, dnnl_query_impl_info_str, 0, &name)
    return name.map { String(cString: $0) } ?? ""
  }
}
