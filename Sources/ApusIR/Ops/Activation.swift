/// An activation function, element by element.
///
/// - C1: elements are floating-point numbers.
public enum Activation: Hashable, Sendable {
  /// max(x, 0)
  case relu
  /// min(max(x, 0), 6)
  case relu6
  /// x where x > 0, else slope · x
  case leakyRelu(slope: Double)
  /// x where x > 0, else α(eˣ − 1) (Clevert et al. 2016, arXiv 1511.07289)
  case elu(alpha: Double)
  /// 1 / (1 + e⁻ˣ)
  case sigmoid
  case tanh
  /// min(max(x/6 + 1/2, 0), 1) (Howard et al. 2019, arXiv 1905.02244, section 5.2)
  case hardSigmoid
  /// x · sigmoid(x) (Ramachandran et al. 2017, arXiv 1710.05941)
  case swish
  /// x · hardSigmoid(x)
  case hardSwish
  /// x · tanh(log(1 + eˣ)) (Misra 2019, arXiv 1908.08681)
  case mish

  public var name: String {
    switch self {
    case .relu: "relu"
    case .relu6: "relu6"
    case .leakyRelu: "leakyRelu"
    case .elu: "elu"
    case .sigmoid: "sigmoid"
    case .tanh: "tanh"
    case .hardSigmoid: "hardSigmoid"
    case .swish: "swish"
    case .hardSwish: "hardSwish"
    case .mish: "mish"
    }
  }

  var attributes: String {
    switch self {
    case .leakyRelu(let slope): "slope \(slope)"
    case .elu(let alpha): "alpha \(alpha)"
    case .relu, .relu6, .sigmoid, .tanh, .hardSigmoid, .swish, .hardSwish, .mish: ""
    }
  }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    try require(
      operands[0].dtype.isFloatingPoint, "C1", "elements must be floating-point numbers",
      got: "\(operands[0].dtype)")
    return operands
  }
}
