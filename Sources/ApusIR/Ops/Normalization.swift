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

/// Batch normalisation by the statistics of the batch itself, per channel `c` of `x[n, c, …]`:
/// `y = (x − mean[c]) / √(variance[c] + ε) · scale[c] + offset[c]` with the mean and the biased
/// variance over all other axes (Ioffe and Szegedy 2015, arXiv 1502.03167, algorithm 1).
///
/// Operands: x, scale, offset. Results: y, mean, variance.
/// - C1: x has rank 2 or more and floating-point elements.
/// - C2: scale and offset have one value per channel, in x's element type or `float32`; the
///   statistics have their type.
/// - C3: ε is positive.
public struct BatchNormTraining: Hashable, Sendable {
  public var epsilon: Double

  public init(epsilon: Double) { self.epsilon = epsilon }

  var attributes: String { "epsilon \(epsilon)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 3...3)
    let perChannel = try requireNorm(operands[0], operands.dropFirst(), epsilon)
    return [operands[0], perChannel, perChannel]
  }
}

/// The gradients of ``BatchNormTraining``'s operands: with `x̂ = (x − mean) / √(variance + ε)` and
/// sums over the `m` elements of a channel,
/// `dscale = Σ gradient · x̂`, `doffset = Σ gradient` and
/// `dx = scale / √(variance + ε) · (gradient − doffset / m − x̂ · dscale / m)`.
///
/// Operands: x, scale, mean, variance, the gradient of y. Results: dx, dscale, doffset.
/// - C1: x has rank 2 or more and floating-point elements.
/// - C2: scale, mean and variance have one value per channel, in x's element type or `float32`.
/// - C3: ε is positive.
/// - C4: the gradient has x's type.
public struct BatchNormGradient: Hashable, Sendable {
  public var epsilon: Double

  public init(epsilon: Double) { self.epsilon = epsilon }

  var attributes: String { "epsilon \(epsilon)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 5...5)
    let perChannel = try requireNorm(operands[0], operands[1...3], epsilon)
    try requireSameType(operands[0], operands[4], "C4")
    return [operands[0], perChannel, perChannel]
  }
}

/// Batch normalisation by the batch's statistics and an activation that can be inverted:
/// `y = f(x̂ · (|scale[c]| + ε) + offset[c])` with `x̂ = (x − mean[c]) / √(variance[c] + ε)`.
///
/// The gradient is a function of y, so that y may be written over x
/// (Rota Bulò, Porzi and Kontschieder 2018, arXiv 1712.02616, section 3).
///
/// Operands: x, scale, offset. Results: y, mean, biased variance.
/// - C1: x has rank 2 or more and floating-point elements.
/// - C2: scale and offset have one value per channel, in x's element type or `float32`; the
///   statistics have their type.
/// - C3: ε is positive.
/// - C4: the activation is the identity, leaky ReLU of positive slope or ELU of positive α.
public struct ActivatedBatchNorm: Hashable, Sendable {
  public var epsilon: Double
  /// `nil` is the identity.
  public var activation: Activation?

  public init(epsilon: Double, activation: Activation?) {
    self.epsilon = epsilon
    self.activation = activation
  }

  var attributes: String {
    "epsilon \(epsilon), activation \(activation?.spelling ?? "identity")"
  }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 3...3)
    let perChannel = try requireNorm(operands[0], operands.dropFirst(), epsilon)
    try requireInvertible()
    return [operands[0], perChannel, perChannel]
  }

  /// Whether `C4` holds.
  public var isInvertible: Bool {
    switch activation {
    case nil: true
    case .leakyRelu(slope: let factor), .elu(alpha: let factor): factor > 0
    case .relu, .relu6, .sigmoid, .tanh, .hardSigmoid, .swish, .hardSwish, .mish: false
    }
  }

  fileprivate func requireInvertible() throws(Violation) {
    try require(
      isInvertible, "C4",
      "the activation must be the identity, leaky ReLU of positive slope or ELU of positive alpha",
      got: activation?.spelling ?? "identity",
      hint: "leaky ReLU of slope 0.01 stands in for ReLU")
  }
}

/// The gradients of ``ActivatedBatchNorm``'s operands, in terms of its output:
/// with `z = f⁻¹(y)`, `x̂ = (z − offset) / (|scale| + ε)`, `dz = gradient · f′(z)` and sums over the
/// `m` elements of a channel, `doffset = Σ dz`, `dscale = sign(scale) · Σ dz · x̂` and
/// `dx = (|scale| + ε) / √(variance + ε) · (dz − Σ dz / m − x̂ · Σ dz · x̂ / m)`; sign(0) is 1
/// (Rota Bulò, Porzi and Kontschieder 2018, arXiv 1712.02616, section 3.2).
///
/// Operands: y, scale, offset, variance, the gradient of y. Results: dx, dscale, doffset.
/// - C1: y has rank 2 or more and floating-point elements.
/// - C2: scale, offset and variance have one value per channel, in y's element type or `float32`.
/// - C3: ε is positive.
/// - C4: the activation is the identity, leaky ReLU of positive slope or ELU of positive α.
/// - C5: the gradient has y's type.
enum ActivatedBatchNormGradient {
  static func resultTypes(
    _ operands: [TensorType], _ norm: ActivatedBatchNorm
  ) throws(Violation) -> [TensorType] {
    try requireCount(operands, 5...5)
    let perChannel = try requireNorm(operands[0], operands[1...3], norm.epsilon)
    try norm.requireInvertible()
    try requireSameType(operands[0], operands[4], "C5")
    return [operands[0], perChannel, perChannel]
  }
}

/// The gradient of ``LocalResponseNorm``'s operand: with `d[c] = k + α/size · Σ x[j]²`,
/// `dx[c] = gradient[c] · d[c]^−β − 2αβ/size · x[c] · Σ gradient[j] · x[j] · d[j]^(−β−1)`,
/// sums over j within size/2 channels of c.
///
/// Operands: x, the gradient of y.
/// - C1: x has rank 4 and floating-point elements.
/// - C2: the size is odd and at least 1, k is positive.
/// - C3: the gradient has x's type.
enum LocalResponseNormGradient {
  static func resultTypes(
    _ operands: [TensorType], _ norm: LocalResponseNorm
  ) throws(Violation) -> [TensorType] {
    try requireCount(operands, 2...2)
    let types = try norm.resultTypes([operands[0]])
    try requireSameType(operands[0], operands[1], "C3")
    return types
  }
}

/// Requires `C1`–`C3` of the norms that take part in training, and returns the type of what they
/// have per channel.
private func requireNorm(
  _ x: TensorType, _ vectors: ArraySlice<TensorType>, _ epsilon: Double
) throws(Violation) -> TensorType {
  try require(
    x.rank >= 2 && x.dtype.isFloatingPoint, "C1",
    "images must have rank 2 or more and floating-point elements", got: "\(x)")
  let types = [x.dtype, .float32].map { TensorType($0, [x.shape[1]]) }
  let perChannel = types.first { type in vectors.allSatisfy { $0 == type } }
  try require(
    perChannel != nil, "C2",
    "what each channel has one of must be \(types[0])"
      + (x.dtype == .float32 ? "" : " or \(types[1])"),
    got: vectors.map(\.description).joined(separator: ", "))
  try require(epsilon > 0, "C3", "epsilon must be positive", got: "\(epsilon)")
  return perChannel ?? types[0]
}
