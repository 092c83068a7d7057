import ApusTensor

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2), as
/// PyTorch's `AdamW`: ``Adam`` without `λ` in the gradient, and `p ← (1 − η λ) p` first.
public struct AdamW: Optimizer {
  public static let defaultLearningRate = 1e-3
  let moments: AdamMoments
  let weightDecay: Double

  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 1e-2
  ) throws(SettingError) {
    moments = try AdamMoments("AdamW", beta1, beta2, epsilon)
    try requireSetting(
      weightDecay >= 0, "AdamW", "weight decay must be at least 0", got: weightDecay)
    self.weightDecay = weightDecay
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    let changes = try moments.changes(step, step.parameters.map(\.gradient))
    let kept = try 1 - step.learningRate * weightDecay
    return try zip(step.parameters, changes).map { p, change in
      let value = p.isDecayed && weightDecay != 0 ? try p.value * kept : p.value
      return try value - change
    }
  }
}
