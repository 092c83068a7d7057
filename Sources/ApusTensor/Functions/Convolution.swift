import ApusIR

/// A 2-D cross-correlation of `x[n, c, h, w]` with `filter[o, c/groups, kh, kw]`, plus a bias `[o]`.
public func convolution(
  _ x: Tensor, _ filter: Tensor, bias: Tensor? = nil, _ attributes: Convolution
) throws -> Tensor {
  try x.builder.append(.convolution(attributes), [x, filter] + (bias.map { [$0] } ?? []))[0]
}
