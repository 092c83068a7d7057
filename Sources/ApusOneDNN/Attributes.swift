import ApusPlan
import ApusRuntime
import COneDNN

/// A primitive's attributes: working memory from the caller, and what is done to the result before
/// it is written.
struct Attributes {
  private let handle: Handle
  var pointer: OpaquePointer { handle.pointer }

  init(
    _ postOps: [(postOp: PostOp, operand: MemoryDescription?)]
  ) throws(BackendError) {
    handle = try Handle("dnnl_primitive_attr_create", destroy: dnnl_primitive_attr_destroy) {
      dnnl_primitive_attr_create($0)
    }
    try check(
      dnnl_primitive_attr_set_scratchpad_mode(handle.pointer, dnnl_scratchpad_mode_user),
      "dnnl_primitive_attr_set_scratchpad_mode")
    if postOps.isEmpty { return }
    let chain = try Handle("dnnl_post_ops_create", destroy: dnnl_post_ops_destroy) {
      dnnl_post_ops_create($0)
    }
    for (postOp, operand) in postOps { try Self.append(postOp, operand, to: chain.pointer) }
    try check(
      dnnl_primitive_attr_set_post_ops(handle.pointer, chain.pointer),
      "dnnl_primitive_attr_set_post_ops")
  }

  private static func append(
    _ postOp: PostOp, _ operand: MemoryDescription?, to chain: OpaquePointer
  ) throws(BackendError) {
    switch postOp {
    case .activation(let activation):
      let (algorithm, alpha, beta) = activation.algorithm
      try check(
        dnnl_post_ops_append_eltwise(chain, algorithm, alpha, beta),
        "dnnl_post_ops_append_eltwise")
    case .accumulate:
      try check(dnnl_post_ops_append_sum(chain, 1, 0, dnnl_f32), "dnnl_post_ops_append_sum")
    case .binary(let binary, _):
      guard let algorithm = binary.algorithm, let operand else {
        throw .unsupported("\(binary) as a post-op")
      }
      try check(
        dnnl_post_ops_append_binary(chain, algorithm, operand.pointer),
        "dnnl_post_ops_append_binary")
    case .depthwise: throw .unsupported("a depthwise convolution as a post-op")
    }
  }
}

extension OneDNNLibrary {
  /// A step's post-ops with the descriptions of what they read.
  func postOps(
    of step: Step
  ) throws(BackendError) -> [(postOp: PostOp, operand: MemoryDescription?)] {
    var postOps: [(postOp: PostOp, operand: MemoryDescription?)] = []
    for postOp in step.postOps {
      if case .binary(_, let operand) = postOp {
        let right = try description(of: step.operands[operand], besides: step.results[0])
        postOps.append((postOp, right))
      } else {
        postOps.append((postOp, nil))
      }
    }
    return postOps
  }
}
