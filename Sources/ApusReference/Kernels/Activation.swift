import ApusIR
import Foundation

extension Activation {
  func evaluate(_ x: ReferenceTensor) -> [Double] { x.values.map(callAsFunction) }

  /// The function's value at one number; NaN stays NaN.
  func callAsFunction(_ x: Double) -> Double {
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

  /// The gradient of the input, from what ``gradientReads`` says and the gradient of the output.
  func evaluateGradient(_ value: ReferenceTensor, _ gradient: ReferenceTensor) -> [Double] {
    zip(value.values, gradient.values).map { derivative($0) * $1 }
  }

  /// The derivative, in terms of the output where that is what it reads.
  func derivative(_ value: Double) -> Double {
    switch self {
    case .relu: value > 0 ? 1 : 0
    case .relu6: 0 < value && value < 6 ? 1 : 0
    case .leakyRelu(let slope): value > 0 ? 1 : slope
    case .elu(let alpha):
      value > 0 ? 1 : gradientReads == .output ? value + alpha : alpha * exp(value)
    case .sigmoid: value * (1 - value)
    case .tanh: 1 - value * value
    case .hardSigmoid: 0 < value && value < 1 ? 1 / 6 : 0
    case .swish: sigma(value) * (1 + value * (1 - sigma(value)))
    case .hardSwish: value <= -3 ? 0 : value < 3 ? value / 3 + 0.5 : 1
    case .mish: mishDerivative(value)
    }
  }
}

private func mishDerivative(_ x: Double) -> Double {
  let t = tanh(log1p(exp(x)))
  return t + x * sigma(x) * (1 - t * t)
}

/// min(max(x/6 + 1/2, 0), 1)
private func ramp(_ x: Double) -> Double { smaller(larger(x / 6 + 0.5, 0), 1) }
