import ApusTensor

/// Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1), as PyTorch's `Adam`: `g ← g + λ p`,
/// `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`,
/// `p ← p − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)`.
public struct Adam: Optimizer {
  public static let defaultLearningRate = 1e-3
  let moments: AdamMoments
  let weightDecay: Double

  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0
  ) throws(SettingError) {
    moments = try AdamMoments("Adam", beta1, beta2, epsilon)
    try requireSetting(
      weightDecay >= 0, "Adam", "weight decay must be at least 0", got: weightDecay)
    self.weightDecay = weightDecay
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    let gradients = try step.parameters.map { try $0.gradient(decayedBy: weightDecay) }
    let changes = try moments.changes(step, gradients)
    return try zip(step.parameters, changes).map { try $0.value - $1 }
  }
}

/// The two moments of Adam's family.
struct AdamMoments: Sendable {
  let beta1: Double
  let beta2: Double
  let epsilon: Double

  init(
    _ optimizer: String, _ beta1: Double, _ beta2: Double, _ epsilon: Double
  ) throws(SettingError) {
    for beta in [beta1, beta2] {
      try requireSetting((0..<1).contains(beta), optimizer, "betas must be in 0..<1", got: beta)
    }
    try requireSetting(epsilon >= 0, optimizer, "epsilon must be at least 0", got: epsilon)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  /// `m`
  func first(_ step: OptimizerStep, _ p: TrainedParameter, _ gradient: Tensor) throws -> Tensor {
    try step.average("exp_avg", of: p, gradient, keeping: beta1)
  }

  /// `√v / √(1 − β₂ᵗ) + ε`, given `√(1 − β₂ᵗ)`
  func divisor(
    _ step: OptimizerStep, _ p: TrainedParameter, _ gradient: Tensor, correction: Tensor
  ) throws -> Tensor {
    let second = try step.average("exp_avg_sq", of: p, gradient * gradient, keeping: beta2)
    return try sqrt(second) / correction + epsilon
  }

  /// What Adam takes off each parameter.
  func changes(_ step: OptimizerStep, _ gradients: [Tensor]) throws -> [Tensor] {
    let rate = try step.learningRate / step.filled(beta1)
    let correction = try sqrt(step.filled(beta2))
    return try zip(step.parameters, gradients).map { p, gradient in
      let first = try first(step, p, gradient)
      return try rate * (first / divisor(step, p, gradient, correction: correction))
    }
  }
}
