import ApusIR
import ApusTensor

/// A convolution with its batch normalisation, which may be missing, and activation.
public struct ConvUnit: Layer {
  /// Where the normalisation and the activation stand.
  public enum Order: String, Hashable, Sendable, CaseIterable {
    /// After the convolution.
    case normAfter = "post"
    /// Before it ("pre-activation", He et al. 2016, arXiv 1603.05027).
    case normBefore = "pre"
  }

  let conv: Conv2D
  let norm: BatchNorm2D?
  let activation: ActivationFunction
  let order: Order

  public init(
    _ conv: Conv2D, _ norm: BatchNorm2D?, _ activation: ActivationFunction,
    order: Order = .normAfter
  ) {
    self.conv = conv
    self.norm = norm
    self.activation = activation
    self.order = order
  }

  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    switch order {
    case .normAfter: try activated(conv(x))
    case .normBefore: try conv(activated(x))
    }
  }

  private func activated(_ x: Tensor) throws -> Tensor {
    guard let norm else { return try activation(x) }
    return try norm(x, activation)
  }
}
