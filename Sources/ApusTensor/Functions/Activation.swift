import ApusIR

extension Tensor {
  /// Applies an activation function to every element.
  public func activated(_ activation: Activation) throws -> Tensor {
    try Self.record(.activation(activation), self)
  }

  /// The gradient of an activation's operand, from that of its result and from what
  /// ``Activation/gradientReads`` says, which is this tensor.
  package func activationGradient(_ activation: Activation, _ gradient: Tensor) throws -> Tensor {
    try Self.record(.activationGradient(activation), self, gradient)
  }
}

/// max(x, 0)
public func relu(_ x: Tensor) throws -> Tensor { try x.activated(.relu) }

/// 1 / (1 + e⁻ˣ)
public func sigmoid(_ x: Tensor) throws -> Tensor { try x.activated(.sigmoid) }

/// tanh x
public func tanh(_ x: Tensor) throws -> Tensor { try x.activated(.tanh) }

/// eˣ / Σ eˣ along `axis` (the last one by default); the largest element is subtracted first.
public func softmax(_ x: Tensor, axis: Int? = nil) throws -> Tensor {
  let axis = axis ?? x.rank - 1
  let maximum = try x.reduced(.max, axes: [axis])
  var reduced = x.shape
  reduced[axis] = 1
  let largest = try maximum.reshaped(to: reduced)
  let powers = try exp(x - largest)
  return try powers / powers.reduced(.sum, axes: [axis]).reshaped(to: reduced)
}
