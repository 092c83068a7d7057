import ApusIR

/// What a kernel does to its result before it writes it.
public enum PostOp: Hashable, Sendable {
  case activation(Activation)
  /// The result is added to what its own buffer holds: to the step's operand of that index, which
  /// nothing reads afterwards.
  case accumulate(operand: Int)
  /// The result is the left side of a binary op; the right one is the step's operand of that index,
  /// whole or with unit extents.
  case binary(Binary, operand: Int)
  /// The result of a 1×1 convolution goes through a depthwise one: filters and bias are the step's
  /// operands of these indices.
  case depthwise(Convolution, filter: Int, bias: Int?)

  /// How many of the step's operands it reads.
  var operandCount: Int {
    switch self {
    case .activation: 0
    case .accumulate, .binary: 1
    case .depthwise(_, _, let bias): bias == nil ? 1 : 2
    }
  }

  /// Its name in printed plans and profiles.
  public var name: String {
    switch self {
    case .activation(let activation): activation.name
    case .accumulate: "sum"
    case .binary(let binary, _): binary.rawValue
    case .depthwise: "depthwise"
    }
  }
}
