import ApusIR
import ApusTensor

/// The cross-entropy of `logits[n, k]` and the class of each row, `labels[n]`, as PyTorch's
/// `cross_entropy`: `−(1 − s) log p[label] − s/k · Σ log p` with `p = softmax(logits)`.
///
/// A label that is no class leaves its first term out: give ``checkLabels(_:classes:)`` what is fed.
///
/// - C1: logits are floating-point numbers `[n, k]`.
/// - C2: labels are integers `[n]`.
///
/// - Parameter smoothing: `s`, the share of probability spread evenly over all classes
///   (Szegedy et al. 2016, arXiv 1512.00567, section 7).
/// - Returns: the losses `[n]`, or their sum or mean.
public func crossEntropy(
  _ logits: Tensor, _ labels: Tensor, smoothing: Double = 0, reduction: LossReduction = .mean
) throws -> Tensor {
  try requireLabels(logits, labels, "crossEntropy")
  try requireSmoothing(smoothing)
  let logarithms = try logSoftmax(logits)
  let likelihood = try logarithms.element(of: labels)  // [n]
  if smoothing == 0 { return try reduction(-likelihood) }
  return try reduction(-(likelihood * (1 - smoothing) + logarithms.mean(1) * smoothing))
}

/// The cross-entropy of `logits[n, k]` and the probabilities of each row's classes,
/// `targets[n, k]`, as PyTorch's `cross_entropy`: `−Σ q log p` with `p = softmax(logits)` and
/// `q = (1 − s) targets + s/k`.
///
/// - C1: logits and targets have one floating-point type `[n, k]`.
///
/// - Returns: the losses `[n]`, or their sum or mean over rows.
public func crossEntropy(
  _ logits: Tensor, targets: Tensor, smoothing: Double = 0, reduction: LossReduction = .mean
) throws -> Tensor {
  try requireLikeTargets(logits, targets, "crossEntropy")
  try requireLoss(logits.rank == 2, "crossEntropy", "C1", "logits must be [n, k]", logits)
  try requireSmoothing(smoothing)
  let classes = Double(logits.shape[1])
  let smoothed = smoothing == 0 ? targets : try targets * (1 - smoothing) + smoothing / classes
  return try reduction(-(smoothed * logSoftmax(logits)).sum(1))
}

extension Tensor {
  /// The element of each row that its label names: `[n, k], [n] → [n]`; 0 where it names none.
  func element(of labels: Tensor) throws -> Tensor {
    // Not a product with 0 and 1: a class of probability 0 has the logarithm −∞.
    try select(oneHot(labels, classes: shape[1]), self, filled(with: 0)).sum(1)
  }
}

private func requireSmoothing(_ smoothing: Double) throws(SettingError) {
  try requireSetting(
    (0...1).contains(smoothing), "crossEntropy", "smoothing must be in 0...1", got: smoothing)
}
