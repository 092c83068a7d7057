import ApusTensor
import Foundation

/// Adam with Nesterov's momentum (Dozat 2016, "Incorporating Nesterov momentum into Adam"), as
/// PyTorch's `NAdam` with its weight decay in the gradient.
///
/// `g ← g + λ p`, `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`, `μₜ = β₁ (1 − ½ · 0.96^(t ψ))`,
/// `p ← p − η ((1 − μₜ) g / (1 − Πμₜ) + μₜ₊₁ m / (1 − Πμₜ₊₁)) / (√(v / (1 − β₂ᵗ)) + ε)`.
public struct NAdam: Optimizer {
  public static let defaultLearningRate = 2e-3
  let moments: AdamMoments
  let weightDecay: Double
  let momentumDecay: Double

  /// - Parameter momentumDecay: `ψ`
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
    momentumDecay: Double = 4e-3
  ) throws(SettingError) {
    moments = try AdamMoments("NAdam", beta1, beta2, epsilon)
    for (name, decay) in [("weight", weightDecay), ("momentum", momentumDecay)] {
      try requireSetting(decay >= 0, "NAdam", "\(name) decay must be at least 0", got: decay)
    }
    self.weightDecay = weightDecay
    self.momentumDecay = momentumDecay
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    let momentum = try momentum(step.number)
    let next = try self.momentum(step.number + 1)
    let product = try step.updated("mu_product", from: .ones) { try $0 * momentum }
    let gradientShare = try step.learningRate * (1 - momentum) / (1 - product)
    let momentShare = try step.learningRate * next / (1 - product * next)
    let correction = try sqrt(step.filled(moments.beta2))
    return try step.parameters.map { p in
      let gradient = try p.gradient(decayedBy: weightDecay)
      let first = try moments.first(step, p, gradient)
      let divisor = try moments.divisor(step, p, gradient, correction: correction)
      return try p.value - (gradientShare * gradient + momentShare * first) / divisor
    }
  }

  /// `μₜ`
  private func momentum(_ t: Tensor) throws -> Tensor {
    let waning = try exp(t * (momentumDecay * Foundation.log(0.96)))
    return try (1 - waning / 2) * moments.beta1
  }
}
