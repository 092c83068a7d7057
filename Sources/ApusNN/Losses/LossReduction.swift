import ApusIR
import ApusTensor

/// What becomes of the losses of a batch.
public enum LossReduction: Hashable, Sendable, CaseIterable {
  /// One loss for each row, or for each element where the loss is one of elements.
  case none
  case sum
  case mean

  /// Folds all losses into one, `[]`, unless they are wanted apart.
  func callAsFunction(_ losses: Tensor) throws -> Tensor {
    let axes = Array(losses.shape.indices)
    return switch self {
    case .none: losses
    case .sum: try losses.reduced(.sum, axes: axes)
    case .mean: try losses.reduced(.mean, axes: axes)
    }
  }
}

/// Throws constraint `number` of a loss unless `condition` holds.
func requireLoss(
  _ condition: Bool, _ loss: String, _ number: String, _ requirement: String,
  _ operands: Tensor...
) throws(GraphError) {
  if condition { return }
  let types = operands.map(\.type)
  throw GraphError(
    path: "", op: loss,
    violation: Violation(
      constraint: number, requirement: requirement,
      given: types.map(\.description).joined(separator: " and ")),
    operands: [])
}

/// Requires two operands of one floating-point type: nothing is broadcast, because `[n]` against
/// `[n, 1]` would be a loss of `n²` pairs.
func requireLikeTargets(
  _ predictions: Tensor, _ targets: Tensor, _ loss: String
) throws(GraphError) {
  try requireLoss(
    predictions.type == targets.type && predictions.dtype.isFloatingPoint, loss, "C1",
    "predictions and targets must have one floating-point type", predictions, targets)
}

/// Requires `logits[n, k]` and integer `labels[n]`.
func requireLabels(_ logits: Tensor, _ labels: Tensor, _ loss: String) throws(GraphError) {
  try requireLoss(
    logits.rank == 2 && logits.dtype.isFloatingPoint, loss, "C1",
    "logits must be floating-point numbers [n, k]", logits)
  let isInteger = !labels.dtype.isFloatingPoint && labels.dtype != .bool
  try requireLoss(
    isInteger && labels.shape == [logits.shape[0]], loss, "C2",
    "labels must be integers [n], one for each row of the logits", labels, logits)
}
