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

/// log(1 + eˣ), exact for large magnitudes too.
public func softplus(_ x: Tensor) throws -> Tensor {
  // (x + |x|) / 2 is max(x, 0) to the last bit, and its slope at 0 is the ½ that is right there.
  let size = try abs(x)
  return try (x + size) / 2 + log1p(exp(-size))
}

/// eˣ / Σ eˣ along `axis` (the last one by default); the largest element is subtracted first.
public func softmax(_ x: Tensor, axis: Int? = nil) throws -> Tensor {
  let axis = axis ?? x.rank - 1
  let powers = try exp(x.belowLargest(axis))
  return try powers / powers.reducedKeepingAxis(.sum, axis)
}

/// x − log Σ eˣ along `axis` (the last one by default): the logarithm of ``softmax(_:axis:)``
/// where that itself would be rounded to 0.
public func logSoftmax(_ x: Tensor, axis: Int? = nil) throws -> Tensor {
  let axis = axis ?? x.rank - 1
  let shifted = try x.belowLargest(axis)
  return try shifted - log(exp(shifted).reducedKeepingAxis(.sum, axis))
}

extension Tensor {
  /// Each element minus the largest along an axis, so that no power overflows.
  fileprivate func belowLargest(_ axis: Int) throws -> Tensor {
    try self - reducedKeepingAxis(.max, axis)
  }

  fileprivate func reducedKeepingAxis(_ kind: Reduce.Kind, _ axis: Int) throws -> Tensor {
    let folded = try reduced(kind, axes: [axis])
    var extents = shape
    extents[axis] = 1
    return try folded.reshaped(to: extents)
  }
}
