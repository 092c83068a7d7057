import ApusIR
import ApusTensor

/// What a layer does to every element.
public enum ActivationFunction: Hashable, Sendable {
  case identity
  /// One op, whose gradient keeps its operand or its result and no more.
  case op(Activation)
  /// `x · sigmoid(x)` as a product: the gradient keeps both factors.
  case naiveSwish
  /// `x · tanh(log(1 + eˣ))` step by step: the gradient keeps every value on the way.
  case naiveMish

  public static let relu = ActivationFunction.op(.relu)
  public static let relu6 = ActivationFunction.op(.relu6)
  public static let sigmoid = ActivationFunction.op(.sigmoid)
  public static let tanh = ActivationFunction.op(.tanh)
  public static let hardSigmoid = ActivationFunction.op(.hardSigmoid)
  public static let swish = ActivationFunction.op(.swish)
  public static let hardSwish = ActivationFunction.op(.hardSwish)
  public static let mish = ActivationFunction.op(.mish)

  public static func leakyRelu(slope: Double = 0.01) -> ActivationFunction {
    .op(.leakyRelu(slope: slope))
  }

  public static func elu(alpha: Double = 1) -> ActivationFunction { .op(.elu(alpha: alpha)) }

  /// The op that computes the function; `nil` where there is nothing to compute.
  public var activation: Activation? {
    switch self {
    case .identity: nil
    case .op(let activation): activation
    case .naiveSwish: .swish
    case .naiveMish: .mish
    }
  }

  /// Whether its operand can be told from its result, which batch norm in place needs.
  public var isInvertible: Bool {
    ActivatedBatchNorm(epsilon: 1, activation: activation).isInvertible
  }

  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    switch self {
    case .identity: x
    case .op(let activation): try x.activated(activation)
    case .naiveSwish: try x * ApusTensor.sigmoid(x)
    case .naiveMish: try x * ApusTensor.tanh(softplus(x))
    }
  }
}

extension ActivationFunction: CustomStringConvertible {
  /// The name the field gives it.
  public var description: String {
    switch self {
    case .identity: "identity"
    case .naiveSwish: "naive-swish"
    case .naiveMish: "naive-mish"
    case .op(.leakyRelu): "leaky-relu"
    case .op(.hardSigmoid): "hard-sigmoid"
    case .op(.hardSwish): "hard-swish"
    case .op(let activation): activation.name
    }
  }
}
