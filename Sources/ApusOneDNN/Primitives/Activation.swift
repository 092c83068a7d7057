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
}

extension OneDNNLibrary {
  func activation(_ activation: Activation, _ step: Step) throws(BackendError) -> Blueprint {
    let (algorithm, alpha, beta) = activation.algorithm
    return try eltwise(algorithm, alpha, beta, step)
  }
}
