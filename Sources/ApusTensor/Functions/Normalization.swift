import ApusIR

/// Batch normalisation of `x[n, c, …]` with given statistics `[c]`.
public func batchNorm(
  _ x: Tensor, scale: Tensor, offset: Tensor, mean: Tensor, variance: Tensor, epsilon: Double
) throws -> Tensor {
  try .record(.batchNorm(BatchNorm(epsilon: epsilon)), x, scale, offset, mean, variance)
}

/// Local response normalisation across channels.
public func localResponseNorm(_ x: Tensor, _ attributes: LocalResponseNorm) throws -> Tensor {
  try .record(.localResponseNorm(attributes), x)
}
