import ApusIR
import ApusTensor

/// `(predictions − targets)²`, as PyTorch's `mse_loss`; the mean is over all elements.
///
/// - C1: predictions and targets have one floating-point type.
public func meanSquaredError(
  _ predictions: Tensor, _ targets: Tensor, reduction: LossReduction = .mean
) throws -> Tensor {
  try requireLikeTargets(predictions, targets, "meanSquaredError")
  let error = try predictions - targets
  return try reduction(error * error)
}
