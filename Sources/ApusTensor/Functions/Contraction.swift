import ApusIR

/// Matrix products `[…, m, k] × […, k, n] → […, m, n]`.
public func dot(
  _ a: Tensor, _ b: Tensor, transposesLeft: Bool = false, transposesRight: Bool = false
) throws -> Tensor {
  try .record(
    .dot(Dot(transposesLeft: transposesLeft, transposesRight: transposesRight)), a, b)
}
