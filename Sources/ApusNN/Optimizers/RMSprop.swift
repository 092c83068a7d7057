import ApusTensor

/// RMSprop (Hinton 2012, "Neural networks for machine learning", lecture 6e), as PyTorch's
/// `RMSprop`: `g ← g + λ p`, `v ← α v + (1 − α) g²`, `b ← μ b + g / (√v + ε)`, `p ← p − η b`.
///
/// Centred (Graves 2013, arXiv 1308.0850, section 4.2), the mean's square is taken off `v`:
/// `√(v − a²)` with `a ← α a + (1 − α) g`.
public struct RMSprop: Optimizer {
  public static let defaultLearningRate = 1e-2
  let alpha: Double
  let epsilon: Double
  let weightDecay: Double
  let momentum: Double
  let isCentered: Bool

  /// - Parameters:
  ///   - alpha: how much of the mean square is kept.
  ///   - momentum: `μ`
  public init(
    alpha: Double = 0.99, epsilon: Double = 1e-8, weightDecay: Double = 0, momentum: Double = 0,
    centered: Bool = false
  ) throws(SettingError) {
    try requireSetting((0...1).contains(alpha), "RMSprop", "alpha must be in 0...1", got: alpha)
    let others = [("epsilon", epsilon), ("weight decay", weightDecay), ("momentum", momentum)]
    for (name, value) in others {
      try requireSetting(value >= 0, "RMSprop", "\(name) must be at least 0", got: value)
    }
    self.alpha = alpha
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.momentum = momentum
    isCentered = centered
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    try step.parameters.map { p in
      let gradient = try p.gradient(decayedBy: weightDecay)
      var square = try step.average("square_avg", of: p, gradient * gradient, keeping: alpha)
      if isCentered {
        let mean = try step.average("grad_avg", of: p, gradient, keeping: alpha)
        square = try square - mean * mean
      }
      var direction = try gradient / (sqrt(square) + epsilon)
      if momentum > 0 {
        direction = try step.updated("momentum", of: p) { try $0 * momentum + direction }
      }
      return try p.value - step.learningRate * direction
    }
  }
}
