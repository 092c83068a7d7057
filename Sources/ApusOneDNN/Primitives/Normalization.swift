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
}
