import ApusIR
import ApusTensor

/// Batch normalisation of images `[n, c, h, w]` per channel
/// (Ioffe and Szegedy 2015, arXiv 1502.03167), with an activation after it.
///
/// In inference the running statistics are used; in training those of the batch are, and the
/// running ones move towards them.
public struct BatchNorm2D: Layer {
  /// What the images are multiplied by, and what training keeps.
  public enum Form: String, Hashable, Sendable, CaseIterable {
    /// The scale `γ`.
    case plain = "bn"
    /// `|γ| + ε`: the function of ``inPlace``, with what it reads kept.
    case activated = "abn"
    /// `|γ| + ε`. In training the result overwrites what is normalised, and the gradient is told from
    /// the result: the activation must be invertible
    /// (Rota Bulò, Porzi and Kontschieder 2018, arXiv 1712.02616).
    case inPlace = "inplace-abn"
  }

  let scale: Tensor
  let offset: Tensor
  let runningMean: Tensor
  let runningVariance: Tensor
  let epsilon: Double
  let momentum: Double
  let form: Form
  let fixesScale: Bool
  let scope: Scope

  /// Declares `weight`, `bias`, `running_mean` and `running_var`, each `[channels]`.
  ///
  /// - Parameters:
  ///   - momentum: the share of the batch in the new running statistics.
  ///   - startsAtZero: fresh scales are 0 rather than 1.
  ///   - fixesScale: the images are multiplied by 1 whatever `weight` holds (MXNet's `fix_gamma`).
  public init(
    _ scope: Scope, _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1,
    form: Form = .plain, startsAtZero: Bool = false, fixesScale: Bool = false
  ) {
    scale = scope.parameter("weight", [channels], startsAtZero ? .zeros : .ones)
    offset = scope.parameter("bias", [channels], .zeros)
    runningMean = scope.state("running_mean", [channels], .zeros)
    runningVariance = scope.state("running_var", [channels], .ones)
    self.epsilon = epsilon
    self.momentum = momentum
    self.form = form
    self.fixesScale = fixesScale
    self.scope = scope
  }
}

extension BatchNorm2D {
  public func callAsFunction(_ x: Tensor) throws -> Tensor { try self(x, .identity) }

  /// The activation of the normalised images.
  ///
  /// - Throws: `C5` in training where a channel has one value, whose variance is 0; `C4` of
  ///   ``ActivatedBatchNorm`` where the form is in place and the activation cannot be inverted.
  public func callAsFunction(_ x: Tensor, _ activation: ActivationFunction) throws -> Tensor {
    guard scope.isTraining else {
      return try activation(
        batchNorm(
          x, scale: factor(), offset: offset, mean: runningMean, variance: runningVariance,
          epsilon: epsilon))
    }
    let count = x.shape.elementCount / scale.shape[0]
    try requireSeveralValues(x, count)
    switch form {
    case .plain, .activated:
      let (y, mean, variance) = try batchNormTraining(
        x, scale: factor(), offset: offset, epsilon: epsilon)
      try updateStatistics(mean, variance, count: count)
      return try activation(y)
    case .inPlace:
      let norm = ActivatedBatchNorm(epsilon: epsilon, activation: activation.activation)
      // The op takes the magnitude and adds ε itself.
      let scale = fixesScale ? try self.scale.filled(with: 1 - epsilon) : self.scale
      let (y, mean, variance) = try activatedBatchNorm(x, scale: scale, offset: offset, norm)
      try updateStatistics(mean, variance, count: count)
      return y
    }
  }

  /// What the images are multiplied by, `[c]`.
  private func factor() throws -> Tensor {
    if fixesScale { return try scale.filled(with: 1) }
    switch form {
    case .plain: return scale
    case .activated, .inPlace:
      // The slope of a magnitude at 0 is 0, which γ could never leave; here it is 1.
      let isNegative = try scale.compared(.less, scale.filled(with: 0))
      return try select(isNegative, -scale, scale) + epsilon
    }
  }

  /// The running variance takes the unbiased estimate, as in PyTorch.
  private func updateStatistics(_ mean: Tensor, _ variance: Tensor, count: Int) throws {
    let unbiased = try variance * (Double(count) / Double(max(count - 1, 1)))
    scope.update("running_mean", try runningMean * (1 - momentum) + mean * momentum)
    scope.update("running_var", try runningVariance * (1 - momentum) + unbiased * momentum)
  }

  private func requireSeveralValues(_ x: Tensor, _ count: Int) throws(GraphError) {
    if count != 1 { return }
    throw GraphError(
      path: scope.path, op: "batchNormTraining",
      violation: Violation(
        constraint: "C5", requirement: "training must see more than one value of each channel",
        given: "\(x.shape)", hint: "train on a larger batch or larger images"),
      operands: [x.type])
  }
}
