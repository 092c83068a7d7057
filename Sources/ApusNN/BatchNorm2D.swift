import ApusIR
import ApusTensor

/// Batch normalisation of images `[n, c, h, w]` per channel
/// (Ioffe and Szegedy 2015, arXiv 1502.03167).
///
/// In inference the running statistics are used; in training those of the batch are, and the
/// running ones move towards them.
public struct BatchNorm2D: Layer {
  let scale: Tensor
  let offset: Tensor
  let runningMean: Tensor
  let runningVariance: Tensor
  let epsilon: Double
  let momentum: Double
  let fixesScale: Bool
  let scope: Scope

  /// Declares `weight`, `bias`, `running_mean` and `running_var`, each `[channels]`.
  ///
  /// - Parameters:
  ///   - momentum: the share of the batch in the new running statistics.
  ///   - fixesScale: the scale is 1 whatever `weight` holds (MXNet's `fix_gamma`).
  public init(
    _ scope: Scope, _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1,
    fixesScale: Bool = false
  ) {
    scale = scope.parameter("weight", [channels], .ones)
    offset = scope.parameter("bias", [channels], .zeros)
    runningMean = scope.state("running_mean", [channels], .zeros)
    runningVariance = scope.state("running_var", [channels], .ones)
    self.epsilon = epsilon
    self.momentum = momentum
    self.fixesScale = fixesScale
    self.scope = scope
  }
}

extension BatchNorm2D {
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    let scale = fixesScale ? try self.scale.filled(with: 1) : self.scale
    guard scope.isTraining else {
      return try batchNorm(
        x, scale: scale, offset: offset, mean: runningMean, variance: runningVariance,
        epsilon: epsilon)
    }
    let (y, mean, variance) = try batchNormTraining(
      x, scale: scale, offset: offset, epsilon: epsilon)
    try updateStatistics(mean, variance, count: x.shape.elementCount / scale.shape[0])
    return y
  }

  /// The running variance takes the unbiased estimate, as in PyTorch.
  private func updateStatistics(_ mean: Tensor, _ variance: Tensor, count: Int) throws {
    let unbiased = try variance * (Double(count) / Double(max(count - 1, 1)))
    scope.update("running_mean", try runningMean * (1 - momentum) + mean * momentum)
    scope.update("running_var", try runningVariance * (1 - momentum) + unbiased * momentum)
  }
}
