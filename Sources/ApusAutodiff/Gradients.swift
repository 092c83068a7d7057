import ApusIR
import ApusTensor

/// The gradients of a scalar: for each wanted tensor `x` the tensor `∂loss/∂x`, of x's type, zeros
/// where the loss does not depend on it.
///
/// Appends to the trace of the loss what reverse-mode differentiation needs, for the nodes between
/// the wanted tensors and the loss only: what is not asked for costs nothing. Each new node belongs
/// to the layer of the node it differentiates. What ``Scope/checkpoint(_:)`` marked is computed again
/// instead of kept.
///
/// - Parameters:
///   - loss: a scalar of floating-point numbers.
///   - wanted: any tensors of that trace, parameters or not.
/// - Throws: `C1` where the loss is not a scalar; `C2` where a wanted tensor is not of
///   floating-point numbers, or of another trace; `C3` where the loss depends on a wanted tensor
///   through the gradient of an op that has no second derivative here.
public func gradients(of loss: Tensor, withRespectTo wanted: [Tensor]) throws -> [Tensor] {
  try check(
    loss, loss.rank == 0 && loss.dtype.isFloatingPoint, "C1",
    "the loss must be a scalar of floating-point numbers")
  for tensor in wanted {
    try check(
      tensor, tensor.dtype.isFloatingPoint && tensor.builder === loss.builder, "C2",
      "gradients must be asked for floating-point tensors of the loss's trace")
  }
  return try BackwardPass(of: loss, withRespectTo: wanted.map(\.value)).run(wanted)
}

private func check(
  _ tensor: Tensor, _ holds: Bool, _ constraint: String, _ requirement: String
) throws {
  if holds { return }
  throw GraphError(
    path: "", op: "gradients",
    violation: Violation(
      constraint: constraint, requirement: requirement, given: "\(tensor.type)"), operands: [])
}
