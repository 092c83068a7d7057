import ApusTensor

/// Adam with the largest gradient in place of the second moment (Kingma and Ba 2015,
/// arXiv 1412.6980, algorithm 2), as PyTorch's `Adamax`: `g ← g + λ p`,
/// `m ← β₁ m + (1 − β₁) g`, `u ← max(β₂ u, |g| + ε)`, `p ← p − η/(1 − β₁ᵗ) · m / u`.
public struct Adamax: Optimizer {
  public static let defaultLearningRate = 2e-3
  let moments: AdamMoments
  let weightDecay: Double

  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0
  ) throws(SettingError) {
    moments = try AdamMoments("Adamax", beta1, beta2, epsilon)
    try requireSetting(
      weightDecay >= 0, "Adamax", "weight decay must be at least 0", got: weightDecay)
    self.weightDecay = weightDecay
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    let rate = try step.learningRate / step.filled(moments.beta1)
    return try step.parameters.map { p in
      let gradient = try p.gradient(decayedBy: weightDecay)
      let first = try moments.first(step, p, gradient)
      let largest = try step.updated("exp_inf", of: p) { old in
        try maximum(old * moments.beta2, abs(gradient) + moments.epsilon)
      }
      return try p.value - rate * (first / largest)
    }
  }
}
