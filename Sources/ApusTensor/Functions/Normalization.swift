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

/// Batch normalisation of `x[n, c, …]` with the batch's own statistics `[c]`, which it returns too.
public func batchNormTraining(
  _ x: Tensor, scale: Tensor, offset: Tensor, epsilon: Double
) throws -> (y: Tensor, mean: Tensor, variance: Tensor) {
  let op = Op.batchNormTraining(BatchNormTraining(epsilon: epsilon))
  let results = try x.builder.append(op, [x, scale, offset])
  return (results[0], results[1], results[2])
}

/// Batch normalisation with the batch's own statistics and an activation; its gradient reads the
/// result alone, so that it may be written over `x`.
public func activatedBatchNorm(
  _ x: Tensor, scale: Tensor, offset: Tensor, _ attributes: ActivatedBatchNorm
) throws -> (y: Tensor, mean: Tensor, variance: Tensor) {
  let results = try x.builder.append(.activatedBatchNorm(attributes), [x, scale, offset])
  return (results[0], results[1], results[2])
}

/// The gradients of x, scale and offset of a batch norm with the batch's statistics.
package func batchNormGradient(
  _ x: Tensor, scale: Tensor, mean: Tensor, variance: Tensor, gradient: Tensor, epsilon: Double
) throws -> [Tensor] {
  try x.builder.append(
    .batchNormGradient(BatchNormGradient(epsilon: epsilon)), [x, scale, mean, variance, gradient])
}

/// The gradients of x, scale and offset of an activated batch norm whose result is `y`.
package func activatedBatchNormGradient(
  _ y: Tensor, scale: Tensor, offset: Tensor, variance: Tensor, gradient: Tensor,
  _ attributes: ActivatedBatchNorm
) throws -> [Tensor] {
  try y.builder.append(
    .activatedBatchNormGradient(attributes), [y, scale, offset, variance, gradient])
}

/// The gradient of a local response norm's operand `x`.
package func localResponseNormGradient(
  _ x: Tensor, _ gradient: Tensor, _ attributes: LocalResponseNorm
) throws -> Tensor {
  try .record(.localResponseNormGradient(attributes), x, gradient)
}
