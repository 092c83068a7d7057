import ApusIR
import ApusTensor

/// The focal loss of two classes for each element (Lin et al. 2017, arXiv 1708.02002, equation 5),
/// as torchvision's `sigmoid_focal_loss`: `−αₜ (1 − pₜ)^γ log pₜ`.
///
/// `p = sigmoid(logits)`; `pₜ = p t + (1 − p)(1 − t)`, and `αₜ` likewise.
///
/// - C1: logits and targets have one floating-point type.
///
/// - Parameters:
///   - alpha: the weight of class 1 against that of class 0; `nil` weighs both alike.
///   - gamma: how much less an element counts that is predicted well.
public func sigmoidFocalLoss(
  _ logits: Tensor, _ targets: Tensor, alpha: Double? = 0.25, gamma: Double = 2,
  reduction: LossReduction = .mean
) throws -> Tensor {
  try requireGamma(gamma, "sigmoidFocalLoss")
  if let alpha {
    try requireSetting(
      (0...1).contains(alpha), "sigmoidFocalLoss", "alpha must be in 0...1", got: alpha)
  }
  let entropies = try binaryCrossEntropy(logits, targets, reduction: .none)
  let p = try sigmoid(logits)
  let right = try p * targets + (1 - p) * (1 - targets)
  let losses = try entropies.weighted(by: 1 - right, gamma)
  guard let alpha else { return try reduction(losses) }
  return try reduction((targets * alpha + (1 - targets) * (1 - alpha)) * losses)
}

/// The focal loss of exclusive classes: `−(1 − p)^γ log p` with `p = softmax(logits)[label]`, which
/// at γ = 0 is ``crossEntropy(_:_:smoothing:reduction:)``.
///
/// - C1: logits are floating-point numbers `[n, k]`.
/// - C2: labels are integers `[n]`.
public func softmaxFocalLoss(
  _ logits: Tensor, _ labels: Tensor, gamma: Double = 2, reduction: LossReduction = .mean
) throws -> Tensor {
  try requireLabels(logits, labels, "softmaxFocalLoss")
  try requireGamma(gamma, "softmaxFocalLoss")
  let likelihood = try logSoftmax(logits).element(of: labels)
  return try reduction((-likelihood).weighted(by: 1 - exp(likelihood), gamma))
}

extension Tensor {
  /// `self · wrong^γ`
  fileprivate func weighted(by wrong: Tensor, _ gamma: Double) throws -> Tensor {
    switch gamma {
    case 0: self
    case 1: try self * wrong
    case 2: try self * (wrong * wrong)
    default: try self * pow(wrong, wrong.filled(with: gamma))
    }
  }
}

private func requireGamma(_ gamma: Double, _ loss: String) throws(SettingError) {
  try requireSetting(
    gamma >= 0 && gamma.isFinite, loss, "gamma must be at least 0 and finite", got: gamma)
}
