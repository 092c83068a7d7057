import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

extension OneDNNLibrary {
  func batchNorm(_ norm: BatchNorm, _ step: Step) throws(BackendError) -> Blueprint {
    let source = try description(of: step.operands[0])
    let result = try description(of: step.results[0])
    var flags = dnnl_use_global_stats.rawValue | dnnl_use_scale.rawValue | dnnl_use_shift.rawValue
    if step.postOps == [.activation(.relu)] { flags |= dnnl_fuse_norm_relu.rawValue }
    var blueprint = try Blueprint("dnnl_batch_normalization_forward_primitive_desc_create") {
      dnnl_batch_normalization_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, source.pointer, result.pointer, Float(norm.epsilon), flags,
        $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    let indices = [DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE]
    for (position, index) in indices.enumerated() {
      blueprint.bind(
        index, .operand(position + 1), try description(of: step.operands[position + 1]))
    }
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  func localResponseNorm(
    _ norm: LocalResponseNorm, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let source = try description(of: step.operands[0])
    let result = try description(of: step.results[0])
    var blueprint = try Blueprint("dnnl_lrn_forward_primitive_desc_create") {
      dnnl_lrn_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, dnnl_lrn_across_channels, source.pointer, result.pointer,
        Int64(norm.size), Float(norm.alpha), Float(norm.beta), Float(norm.k), $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    return blueprint
  }

  func batchNormTraining(
    _ norm: BatchNormTraining, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let source = try description(of: step.operands[0])
    let result = try description(of: step.results[0])
    var blueprint = try trainingNorm(source, result, norm.epsilon)
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_SCALE, .operand(1), try description(of: step.operands[1]))
    blueprint.bind(DNNL_ARG_SHIFT, .operand(2), try description(of: step.operands[2]))
    blueprint.bind(DNNL_ARG_DST, .result(0), result)
    blueprint.bind(DNNL_ARG_MEAN, .result(1), try description(of: step.results[1]))
    blueprint.bind(DNNL_ARG_VARIANCE, .result(2), try description(of: step.results[2]))
    return blueprint
  }

  func batchNormGradient(
    _ norm: BatchNormGradient, _ step: Step
  ) throws(BackendError) -> Blueprint {
    let source = try description(of: step.operands[0])
    let gradient = try description(of: step.operands[4])
    let result = try description(of: step.results[0])
    let hint = try trainingNorm(source, source, norm.epsilon)
    var blueprint = try Blueprint("dnnl_batch_normalization_backward_primitive_desc_create") {
      dnnl_batch_normalization_backward_primitive_desc_create(
        $0, $1, dnnl_backward, result.pointer, gradient.pointer, source.pointer,
        Float(norm.epsilon), dnnl_use_scale.rawValue | dnnl_use_shift.rawValue,
        hint.description.pointer, $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    for (position, index) in [DNNL_ARG_SCALE, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE].enumerated() {
      blueprint.bind(
        index, .operand(position + 1), try description(of: step.operands[position + 1]))
    }
    blueprint.bind(DNNL_ARG_DIFF_DST, .operand(4), gradient)
    blueprint.bind(DNNL_ARG_DIFF_SRC, .result(0), result)
    blueprint.bind(DNNL_ARG_DIFF_SCALE, .result(1), try description(of: step.results[1]))
    blueprint.bind(DNNL_ARG_DIFF_SHIFT, .result(2), try description(of: step.results[2]))
    return blueprint
  }

  /// A batch norm that makes the batch's statistics.
  private func trainingNorm(
    _ source: MemoryDescription, _ result: MemoryDescription, _ epsilon: Double
  ) throws(BackendError) -> Blueprint {
    try Blueprint("dnnl_batch_normalization_forward_primitive_desc_create") {
      dnnl_batch_normalization_forward_primitive_desc_create(
        $0, $1, dnnl_forward_training, source.pointer, result.pointer, Float(epsilon),
        dnnl_use_scale.rawValue | dnnl_use_shift.rawValue, $2)
    }
  }

  func localResponseNormGradient(
    _ norm: LocalResponseNorm, _ step: Step
  ) throws(BackendError) -> Blueprint? {
    let source = try description(of: step.operands[0])
    let gradient = try description(of: step.operands[1])
    let result = try description(of: step.results[0])
    let (size, alpha, beta, k) = (
      Int64(norm.size), Float(norm.alpha), Float(norm.beta), Float(norm.k)
    )
    let hint = try Blueprint("dnnl_lrn_forward_primitive_desc_create") {
      dnnl_lrn_forward_primitive_desc_create(
        $0, $1, dnnl_forward_training, dnnl_lrn_across_channels, source.pointer, source.pointer,
        size, alpha, beta, k, $2)
    }
    // Other code leaves notes for the backward pass, which the graph has no value for.
    while hint.needsWorkspace {
      if dnnl_primitive_desc_next_impl(hint.description.pointer) != dnnl_success { return nil }
    }
    var blueprint = try Blueprint("dnnl_lrn_backward_primitive_desc_create") {
      dnnl_lrn_backward_primitive_desc_create(
        $0, $1, dnnl_lrn_across_channels, result.pointer, gradient.pointer, source.pointer, size,
        alpha, beta, k, hint.description.pointer, $2)
    }
    blueprint.bind(DNNL_ARG_SRC, .operand(0), source)
    blueprint.bind(DNNL_ARG_DIFF_DST, .operand(1), gradient)
    blueprint.bind(DNNL_ARG_DIFF_SRC, .result(0), result)
    return blueprint
  }
}
