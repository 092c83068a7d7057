/// A function of one number, element by element.
///
/// - C1: the operand's elements are floating-point numbers (`negate`, `abs`, `sign` also integers).
public enum Unary: String, Hashable, Sendable, CaseIterable {
  case negate, abs, sign
  case exp, log, log1p, sqrt, rsqrt, tanh, logistic
  case floor, ceil

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    let dtype = operands[0].dtype
    switch self {
    case .negate, .abs, .sign:
      try require(
        dtype != .bool && dtype != .uint8, "C1", "elements must be signed numbers", got: "\(dtype)")
    case .exp, .log, .log1p, .sqrt, .rsqrt, .tanh, .logistic, .floor, .ceil:
      try require(
        dtype.isFloatingPoint, "C1", "elements must be floating-point numbers", got: "\(dtype)")
    }
    return operands
  }
}

/// A function of two numbers, element by element.
///
/// - C1: both operands have one type.
/// - C2: elements are numbers (`and`, `or`: bool).
public enum Binary: String, Hashable, Sendable, CaseIterable {
  case add, subtract, multiply, divide, maximum, minimum, power
  case and, or

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 2...2)
    try requireSameType(operands[0], operands[1], "C1")
    let wantsBool = self == .and || self == .or
    try require(
      (operands[0].dtype == .bool) == wantsBool, "C2",
      wantsBool ? "elements must be bool" : "elements must be numbers",
      got: "\(operands[0].dtype)")
    return [operands[0]]
  }
}

/// A relation between two numbers, element by element; the result is `bool`.
///
/// - C1: both operands have one type.
public enum Comparison: String, Hashable, Sendable, CaseIterable {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 2...2)
    try requireSameType(operands[0], operands[1], "C1")
    return [TensorType(.bool, operands[0].shape)]
  }
}

/// `select(condition, a, b)`: `a` where the condition holds, else `b`.
///
/// - C1: `a` and `b` have one type.
/// - C2: the condition is bool and has their shape.
enum Select {
  static func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 3...3)
    try requireSameType(operands[1], operands[2], "C1")
    try require(
      operands[0] == TensorType(.bool, operands[1].shape), "C2",
      "the condition must be bool\(operands[1].shape)", got: "\(operands[0])")
    return [operands[1]]
  }
}

/// The same values with another element type.
enum Convert {
  static func resultTypes(
    _ operands: [TensorType], to dtype: DType
  ) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    return [TensorType(dtype, operands[0].shape)]
  }
}

/// Requires two operands of one type.
func requireSameType(
  _ a: TensorType, _ b: TensorType, _ number: String
) throws(Violation) {
  try require(
    a == b, number, "both operands must have the same type", got: "\(a) and \(b)",
    hint: a.shape != b.shape && a.dtype == b.dtype ? "broadcast one of them first" : nil)
}
