import ApusTensor

/// Stochastic gradient descent, as PyTorch's `SGD` without dampening: `g ← g + λ p`,
/// `b ← μ b + g`, `p ← p − η b`; with Nesterov's momentum `p ← p − η (g + μ b)`
/// (Sutskever et al. 2013, section 2).
public struct SGD: Optimizer {
  public static let defaultLearningRate = 1e-3
  let momentum: Double
  let isNesterov: Bool
  let weightDecay: Double

  /// - Parameter momentum: `μ`; 0 keeps no state.
  public init(
    momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0
  ) throws(SettingError) {
    try requireSetting(momentum >= 0, "SGD", "momentum must be at least 0", got: momentum)
    try requireSetting(
      !nesterov || momentum > 0, "SGD", "Nesterov's momentum must be above 0", got: momentum)
    try requireSetting(weightDecay >= 0, "SGD", "weight decay must be at least 0", got: weightDecay)
    self.momentum = momentum
    isNesterov = nesterov
    self.weightDecay = weightDecay
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    try step.parameters.map { p in
      let gradient = try p.gradient(decayedBy: weightDecay)
      return try p.value - step.learningRate * direction(gradient, p, step)
    }
  }

  private func direction(
    _ gradient: Tensor, _ p: TrainedParameter, _ step: OptimizerStep
  ) throws -> Tensor {
    if momentum == 0 { return gradient }
    let velocity = try step.updated("momentum", of: p) { try $0 * momentum + gradient }
    return isNesterov ? try gradient + velocity * momentum : velocity
  }
}
