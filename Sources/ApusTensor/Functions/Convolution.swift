import ApusIR

/// A 2-D cross-correlation of `x[n, c, h, w]` with `filter[o, c/groups, kh, kw]`, plus a bias `[o]`.
public func convolution(
  _ x: Tensor, _ filter: Tensor, bias: Tensor? = nil, _ attributes: Convolution
) throws -> Tensor {
  try x.builder.append(.convolution(attributes), [x, filter] + (bias.map { [$0] } ?? []))[0]
}

/// The gradient of a convolution's images of a size, from that of its result.
package func convolutionInputGradient(
  _ gradient: Tensor, _ filter: Tensor, _ attributes: Convolution, images: Size2D
) throws -> Tensor {
  let op = ConvolutionInputGradient(attributes, images: images)
  return try .record(.convolutionInputGradient(op), gradient, filter)
}

/// The gradient of a convolution's filters with kernels of a size, from that of its result.
package func convolutionFilterGradient(
  _ x: Tensor, _ gradient: Tensor, _ attributes: Convolution, kernel: Size2D
) throws -> Tensor {
  let op = ConvolutionFilterGradient(attributes, kernel: kernel)
  return try .record(.convolutionFilterGradient(op), x, gradient)
}
