import ApusIR
import ApusTensor

/// A node that is differentiated, as its pullback sees it.
///
/// Operands and results are tensors only when asked for: what no pullback reads is neither kept nor
/// computed again.
struct PullbackCall {
  private let pass: BackwardPass
  private let index: Int
  private let node: Node
  /// Of the results; `nil` where the loss does not depend on one.
  let gradients: [Tensor?]
  private let wants: [Bool]

  init(_ pass: BackwardPass, _ index: Int, gradients: [Tensor?], wants: [Bool]) {
    self.pass = pass
    self.index = index
    self.gradients = gradients
    self.wants = wants
    node = pass.graph.nodes[index]
  }

  var operandTypes: [TensorType] { node.operands.map { pass.graph[$0] } }

  func operand(_ position: Int) throws -> Tensor {
    try pass.tensor(node.operands[position], readBy: index)
  }

  func result(_ position: Int = 0) throws -> Tensor {
    try pass.tensor(node.results[position], readBy: index)
  }

  /// The gradient of an operand, if it is wanted.
  func gradient(
    of position: Int, _ body: () throws -> Tensor
  ) rethrows -> Tensor? {
    wants[position] ? try body() : nil
  }

  /// The gradient of the only operand that may have one, from that of the only result.
  func linear(_ body: (Tensor) throws -> Tensor) throws -> [Tensor?] {
    guard let gradient = gradients[0] else { return [nil] }
    return [try self.gradient(of: 0) { try body(gradient) }]
  }

  /// - Throws: `C3`.
  func refuse() throws -> [Tensor?] {
    throw GraphError(
      path: node.path, op: node.op.name,
      violation: Violation(
        constraint: "C3", requirement: "the loss must not depend on this gradient",
        given: "a loss that does, whose gradient would be a second derivative"),
      operands: operandTypes)
  }
}
