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

  /// Its name in printed plans and profiles.
  public var name: String {
    switch self {
    case .activation(let activation): activation.name
    case .accumulate: "sum"
    case .binary(let binary, _): binary.rawValue
    }
  }
}
