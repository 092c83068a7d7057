import ApusIR
import ApusTensor

/// Layer-wise adaptive rate scaling (You et al. 2017, arXiv 1708.03888, algorithm 1):
/// `r = κ ‖p‖ / (‖g‖ + λ ‖p‖)`, `b ← μ b + η r (g + λ p)`, `p ← p − b`, for each parameter.
///
/// The paper's variant: the learning rate is inside the momentum, unlike in ``SGD`` and the LARS of
/// timm and Apex, which is the same only while the rate stays. As there, `r` is 1 where a norm is 0,
/// and parameters that are not decayed (give biases and norms as `undecayed`) are not scaled.
public struct LARS: Optimizer {
  /// timm's; PyTorch has no LARS.
  public static let defaultLearningRate = 1.0
  let momentum: Double
  let weightDecay: Double
  let trust: Double

  /// - Parameter trust: `κ`, the largest change of a parameter relative to its norm at rate 1.
  public init(
    momentum: Double = 0.9, weightDecay: Double = 0, trust: Double = 1e-3
  ) throws(SettingError) {
    let settings = [("momentum", momentum), ("weight decay", weightDecay), ("trust", trust)]
    for (name, value) in settings {
      try requireSetting(value >= 0, "LARS", "\(name) must be at least 0", got: value)
    }
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.trust = trust
  }

  public func newValues(_ step: OptimizerStep) throws -> [Tensor] {
    try step.parameters.map { p in
      let rate = p.isDecayed ? try step.learningRate * ratio(p) : step.learningRate
      let gradient = try p.gradient(decayedBy: weightDecay)
      return try p.value
        - step.updated("momentum", of: p) { try $0 * momentum + rate * gradient }
    }
  }

  /// `r`, `[]`
  private func ratio(_ p: TrainedParameter) throws -> Tensor {
    let size = try norm(of: [p.value])
    let slope = try norm(of: [p.gradient])
    let ratio = try size * trust / (slope + size * weightDecay)
    let isPositive = try minimum(size, slope).compared(.greater, size.filled(with: 0))
    return try select(isPositive, ratio, ratio.filled(with: 1))
  }
}
