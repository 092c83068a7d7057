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

  /// The name with its attributes, where a message or another op names it.
  var spelling: String { attributes.isEmpty ? name : "\(name) \(attributes)" }

  /// What the derivative is a function of.
  public enum Side: Hashable, Sendable { case input, output }

  /// The side that ``Op/activationGradient(_:)`` reads: the output where it tells the derivative, so
  /// that the input need not be kept; else the input.
  public var gradientReads: Side {
    switch self {
    case .relu, .relu6, .sigmoid, .tanh, .hardSigmoid: .output
    case .leakyRelu(slope: let factor), .elu(alpha: let factor): factor >= 0 ? .output : .input
    case .swish, .hardSwish, .mish: .input
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

/// The gradient of an activation's input, `gradient · f′`.
///
/// Operands: the activation's output or input, as ``Activation/gradientReads`` says; the gradient of
/// its output. Where a function bends, the derivative is PyTorch's: that of the flat side, of ELU and
/// leaky ReLU that of the negative side.
/// - C1: elements are floating-point numbers.
/// - C2: both operands have one type.
enum ActivationGradient {
  static func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 2...2)
    try require(
      operands[0].dtype.isFloatingPoint, "C1", "elements must be floating-point numbers",
      got: "\(operands[0].dtype)")
    try requireSameType(operands[0], operands[1], "C2")
    return [operands[0]]
  }
}
