import ApusTensor

/// AdaDelta (Zeiler 2012, arXiv 1212.5701, algorithm 1), as PyTorch's `Adadelta`: `g ← g + λ p`,
/// `v ← ρ v + (1 − ρ) g²`, `Δ = √(u + ε) / √(v + ε) · g`, `u ← ρ u + (1 − ρ) Δ²`, `p ← p − η Δ`.
public struct AdaDelta: Optimizer {
  public static let defaultLearningRate = 1.0
  let rho: Double
  let epsilon: Double
  let weightDecay: Double

  public init(
    rho: Double = 0.9, epsilon: Double = 1e-6, weightDecay: Double = 0
  ) throws(SettingError) {
    try requireSetting((0...1).contains(rho), "AdaDelta", "rho must be in 0...1", got: rho)
    for (name, value) in [("epsilon", epsilon), ("weight decay", weightDecay)] {
      try requireSetting(value >= 0, "AdaDelta", "\(name) must be at least 0", got: value)
    }
    self.rho = rho
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    try step.parameters.map { p in
      let gradient = try p.gradient(decayedBy: weightDecay)
      let square = try step.average("square_avg", of: p, gradient * gradient, keeping: rho)
      var delta = gradient
      _ = try step.updated("acc_delta", of: p) { old in
        delta = try sqrt(old + epsilon) / sqrt(square + epsilon) * gradient
        return try old * rho + delta * delta * (1 - rho)
      }
      return try p.value - step.learningRate * delta
    }
  }
}
