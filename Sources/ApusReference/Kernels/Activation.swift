import ApusIR
import Foundation

extension Activation {
  func evaluate(_ x: ReferenceTensor) -> [Double] { x.values.map(callAsFunction) }

  /// The function's value at one number; NaN stays NaN.
  private func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .relu: larger(x, 0)
    case .relu6: smaller(larger(x, 0), 6)
    case .leakyRelu(let slope): x > 0 ? x : slope * x
    case .elu(let alpha): x > 0 ? x : alpha * expm1(x)
    case .sigmoid: sigma(x)
    case .tanh: Foundation.tanh(x)
    case .hardSigmoid: ramp(x)
    case .swish: x * sigma(x)
    case .hardSwish: x * ramp(x)
    case .mish: x * Foundation.tanh(log1p(exp(x)))
    }
  }
}

/// min(max(x/6 + 1/2, 0), 1)
private func ramp(_ x: Double) -> Double { smaller(larger(x / 6 + 0.5, 0), 1) }
