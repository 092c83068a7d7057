import ApusIR
import ApusPlan
import ApusRuntime
import COneDNN

extension Activation {
  /// The library's function with its α and β.
  var algorithm: (dnnl_alg_kind_t, alpha: Float, beta: Float) {
    switch self {
    case .relu: (dnnl_eltwise_relu, 0, 0)
    case .relu6: (dnnl_eltwise_clip, 0, 6)
    case .leakyRelu(let slope): (dnnl_eltwise_relu, Float(slope), 0)
    case .elu(let alpha): (dnnl_eltwise_elu, Float(alpha), 0)
    case .sigmoid: (dnnl_eltwise_logistic, 0, 0)
    case .tanh: (dnnl_eltwise_tanh, 0, 0)
    case .hardSigmoid: (dnnl_eltwise_hardsigmoid, 1 / 6, 0.5)
    case .swish: (dnnl_eltwise_swish, 1, 0)
    case .hardSwish: (dnnl_eltwise_hardswish, 1 / 6, 0.5)
    case .mish: (dnnl_eltwise_mish, 0, 0)
    }
  }

  /// The library's function whose derivative is taken where ``gradientReads`` says, if it has one.
  var gradientAlgorithm: (dnnl_alg_kind_t, alpha: Float, beta: Float)? {
    switch self {
    case .relu: (dnnl_eltwise_relu_use_dst_for_bwd, 0, 0)
    case .relu6: (dnnl_eltwise_clip_v2_use_dst_for_bwd, 0, 6)
    case .leakyRelu(let slope) where gradientReads == .output:
      (dnnl_eltwise_relu_use_dst_for_bwd, Float(slope), 0)
    case .elu(let alpha) where gradientReads == .output:
      (dnnl_eltwise_elu_use_dst_for_bwd, Float(alpha), 0)
    case .sigmoid: (dnnl_eltwise_logistic_use_dst_for_bwd, 0, 0)
    case .tanh: (dnnl_eltwise_tanh_use_dst_for_bwd, 0, 0)
    case .hardSigmoid: nil
    case .leakyRelu, .elu, .swish, .hardSwish, .mish: algorithm
    }
  }
}

extension OneDNNLibrary {
  func activation(_ activation: Activation, _ step: Step) throws(BackendError) -> Blueprint {
    let (algorithm, alpha, beta) = activation.algorithm
    return try eltwise(algorithm, alpha, beta, step)
  }

  func activationGradient(
    _ activation: Activation, _ step: Step
  ) throws(BackendError) -> Blueprint? {
    guard let (algorithm, alpha, beta) = activation.gradientAlgorithm else { return nil }
    let data = try description(of: step.operands[0])
    let gradient = try description(of: step.operands[1])
    let result = try description(of: step.results[0])
    let hint = try Blueprint("dnnl_eltwise_forward_primitive_desc_create") {
      dnnl_eltwise_forward_primitive_desc_create(
        $0, $1, dnnl_forward_training, algorithm, data.pointer, data.pointer, alpha, beta, $2)
    }
    var blueprint = try Blueprint("dnnl_eltwise_backward_primitive_desc_create") {
      dnnl_eltwise_backward_primitive_desc_create(
        $0, $1, algorithm, result.pointer, gradient.pointer, data.pointer, alpha, beta,
        hint.description.pointer, $2)
    }
    let side = activation.gradientReads == .output ? DNNL_ARG_DST : DNNL_ARG_SRC
    blueprint.bind(side, .operand(0), data)
    blueprint.bind(DNNL_ARG_DIFF_DST, .operand(1), gradient)
    blueprint.bind(DNNL_ARG_DIFF_SRC, .result(0), result)
    return blueprint
  }
}
