import ApusTensor

/// AdaGrad (Duchi et al. 2011, "Adaptive subgradient methods", figure 1), as PyTorch's `Adagrad`:
/// `g ← g + λ p`, `s ← s + g²`, `p ← p − η/(1 + (t − 1) γ) · g / (√s + ε)`.
public struct AdaGrad: Optimizer {
  public static let defaultLearningRate = 1e-2
  let rateDecay: Double
  let epsilon: Double
  let weightDecay: Double

  /// - Parameter rateDecay: `γ`, PyTorch's `lr_decay`.
  public init(
    rateDecay: Double = 0, epsilon: Double = 1e-10, weightDecay: Double = 0
  ) throws(SettingError) {
    let settings = [
      ("rate decay", rateDecay), ("epsilon", epsilon), ("weight decay", weightDecay),
    ]
    for (name, value) in settings {
      try requireSetting(value >= 0, "AdaGrad", "\(name) must be at least 0", got: value)
    }
    self.rateDecay = rateDecay
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    let rate = try step.learningRate / (1 + (step.number - 1) * rateDecay)
    return try step.parameters.map { p in
      let gradient = try p.gradient(decayedBy: weightDecay)
      let sum = try step.updated("sum", of: p) { try $0 + gradient * gradient }
      return try p.value - rate * (gradient / (sqrt(sum) + epsilon))
    }
  }
}
