import ApusIR
import ApusTensor

/// The cross-entropy of two classes for each element, as PyTorch's
/// `binary_cross_entropy_with_logits`: `−t log p − (1 − t) log(1 − p)` with `p = sigmoid(logits)`.
///
/// - C1: logits and targets have one floating-point type.
///
/// - Parameter targets: the probability of each element, or 1 and 0.
public func binaryCrossEntropy(
  _ logits: Tensor, _ targets: Tensor, reduction: LossReduction = .mean
) throws -> Tensor {
  try requireLikeTargets(logits, targets, "binaryCrossEntropy")
  return try reduction((1 - targets) * logits + softplus(-logits))
}
