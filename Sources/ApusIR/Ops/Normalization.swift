/// Batch normalisation with given statistics (inference), per channel `c` of `x[n, c, …]`:
/// `y = (x − mean[c]) / √(variance[c] + ε) · scale[c] + offset[c]`
/// (Ioffe and Szegedy 2015, arXiv 1502.03167, algorithm 2).
///
/// Operands: x, scale, offset, mean, variance.
/// - C1: x has rank 2 or more and floating-point elements.
/// - C2: the other operands have x's element type and one value per channel.
/// - C3: ε is positive.
public struct BatchNorm: Hashable, Sendable {
  public var epsilon: Double

  public init(epsilon: Double) { self.epsilon = epsilon }

  var attributes: String { "epsilon \(epsilon)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 5...5)
    let x = operands[0]
    try require(
      x.rank >= 2 && x.dtype.isFloatingPoint, "C1",
      "x must have rank 2 or more and floating-point elements", got: "\(x)")
    let perChannel = TensorType(x.dtype, [x.shape[1]])
    try require(
      operands.dropFirst().allSatisfy { $0 == perChannel }, "C2",
      "scale, offset, mean and variance must be \(perChannel)",
      got: operands.dropFirst().map(\.description).joined(separator: ", "))
    try require(epsilon > 0, "C3", "epsilon must be positive", got: "\(epsilon)")
    return [x]
  }
}

/// Local response normalisation across channels:
/// `y[c] = x[c] / (k + α/size · Σ x[j]²)^β`, j within size/2 channels of c
/// (Krizhevsky et al. 2012, section 3.3, with α divided by the size as Caffe and PyTorch do).
///
/// - C1: x has rank 4 and floating-point elements.
/// - C2: the size is odd and at least 1, k is positive.
public struct LocalResponseNorm: Hashable, Sendable {
  /// The number of neighbouring channels, the middle one included.
  public var size: Int
  public var alpha: Double
  public var beta: Double
  public var k: Double

  public init(size: Int = 5, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.k = k
  }

  var attributes: String { "size \(size), alpha \(alpha), beta \(beta), k \(k)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    try require(
      operands[0].rank == 4 && operands[0].dtype.isFloatingPoint, "C1",
      "x must have rank 4 and floating-point elements", got: "\(operands[0])")
    try require(
      size >= 1 && size % 2 == 1 && k > 0, "C2", "the size must be odd and k positive",
      got: "size \(size), k \(k)")
    return operands
  }
}
