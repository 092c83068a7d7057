/// A numbered requirement of an op that its operands or attributes do not meet.
public struct Violation: Error, Hashable, Sendable {
  /// The constraint's number in the op's documentation, for instance `C3`.
  public let constraint: String
  /// What must hold.
  public let requirement: String
  /// What was given instead.
  public let given: String
  /// The likely remedy, where there is one.
  public let hint: String?

  public init(constraint: String, requirement: String, given: String, hint: String? = nil) {
    self.constraint = constraint
    self.requirement = requirement
    self.given = given
    self.hint = hint
  }
}

/// A node that cannot be added to a graph.
public struct GraphError: Error, Hashable, Sendable {
  /// The layer, as the prefix of its parameters' paths; empty at the top of a graph.
  public let path: String
  /// The op's name, for instance `convolution`.
  public let op: String
  public let violation: Violation
  public let operands: [TensorType]

  public init(path: String, op: String, violation: Violation, operands: [TensorType]) {
    self.path = path
    self.op = op
    self.violation = violation
    self.operands = operands
  }
}

extension GraphError: CustomStringConvertible {
  public var description: String {
    var text = path.isEmpty ? "" : "\(path): "
    text += "\(op): \(violation.requirement), got \(violation.given)"
    if !operands.isEmpty {
      text += "\n  operands: " + operands.map(\.description).joined(separator: ", ")
    }
    if let hint = violation.hint { text += "\n  hint: \(hint)" }
    return text
  }
}

/// Throws the violation of constraint `number` unless `condition` holds.
func require(
  _ condition: Bool, _ number: String, _ requirement: @autoclosure () -> String,
  got given: @autoclosure () -> String, hint: @autoclosure () -> String? = nil
) throws(Violation) {
  if condition { return }
  throw Violation(
    constraint: number, requirement: requirement(), given: given(), hint: hint())
}

/// Requires as many operands as `count` allows.
func requireCount(
  _ operands: [TensorType], _ count: ClosedRange<Int>
) throws(Violation) {
  let wanted =
    switch (count.lowerBound, count.upperBound) {
    case (let least, .max): "at least \(least)"
    case (let least, let most): least == most ? "\(least)" : "\(least) to \(most)"
    }
  try require(
    count.contains(operands.count), "C0", "the number of operands must be \(wanted)",
    got: "\(operands.count)")
}
