import ApusIR
import ApusTensor

/// Scales each channel by a number that two 1×1 convolutions compute from the channels' means
/// (Hu et al. 2018, arXiv 1709.01507).
public struct SqueezeExcitation: Layer {
  let reduce, expand: Conv2D
  let activation, gate: ActivationFunction

  /// - Parameters:
  ///   - reduce, expand: the scopes of the two convolutions, which have biases.
  ///   - squeezed: channels between them.
  public init(
    reduce: Scope, expand: Scope, _ channels: Int, squeezed: Int,
    activation: ActivationFunction = .relu, gate: ActivationFunction = .sigmoid
  ) {
    self.reduce = Conv2D(reduce, channels, squeezed, kernel: 1)
    self.expand = Conv2D(expand, squeezed, channels, kernel: 1)
    self.activation = activation
    self.gate = gate
  }

  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    var scale = try globalAveragePool(x).reshaped(to: [x.shape[0], x.shape[1], 1, 1])
    scale = try gate(expand(activation(reduce(scale))))  // [n, c, 1, 1]
    return try x * scale
  }
}
