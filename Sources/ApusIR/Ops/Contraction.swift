/// Matrix products `[…, m, k] × […, k, n] → […, m, n]` over equal leading axes.
///
/// - C1: both operands have the same rank, at least 2, and one element type.
/// - C2: the leading axes are equal.
/// - C3: the contracted extents are equal.
/// - C4: elements are numbers.
public struct Dot: Hashable, Sendable {
  /// Whether the left operand is `[…, k, m]`.
  public let transposesLeft: Bool
  /// Whether the right operand is `[…, n, k]`, as a linear layer's weight is.
  public let transposesRight: Bool

  public init(transposesLeft: Bool = false, transposesRight: Bool = false) {
    self.transposesLeft = transposesLeft
    self.transposesRight = transposesRight
  }

  var attributes: String {
    [transposesLeft ? "left transposed" : nil, transposesRight ? "right transposed" : nil]
      .compactMap { $0 }.joined(separator: ", ")
  }

  /// The extents `m`, `k` and `n` of operands of the given shapes.
  public func extents(_ left: Shape, _ right: Shape) -> (m: Int, k: Int, n: Int) {
    let (row, column) = (left.rank - 2, left.rank - 1)
    return (
      m: left[transposesLeft ? column : row], k: left[transposesLeft ? row : column],
      n: right[transposesRight ? row : column]
    )
  }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 2...2)
    let (left, right) = (operands[0].shape, operands[1].shape)
    try require(
      left.rank == right.rank && left.rank >= 2 && operands[0].dtype == operands[1].dtype, "C1",
      "both operands must have the same rank, at least 2, and one element type",
      got: "\(operands[0]) and \(operands[1])")
    try require(
      operands[0].dtype != .bool, "C4", "elements must be numbers", got: "\(operands[0].dtype)")
    let leading = left.extents.dropLast(2)
    try require(
      leading == right.extents.dropLast(2), "C2", "the leading axes must be equal",
      got: "\(left) and \(right)")
    let (m, k, n) = extents(left, right)
    let contracted = right[right.rank - (transposesRight ? 1 : 2)]
    try require(
      k == contracted, "C3", "the contracted extents must be equal", got: "\(k) and \(contracted)")
    return [TensorType(operands[0].dtype, Shape(leading + [m, n]))]
  }
}
