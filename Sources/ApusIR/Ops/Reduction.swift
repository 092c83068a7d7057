/// Folds the elements along some axes into one; those axes disappear.
///
/// - C1: axes are distinct, ascending axes of the operand.
/// - C2: elements are numbers (`mean`: floating-point numbers).
public struct Reduce: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case sum, mean, product, max, min
  }

  public let kind: Kind
  public let axes: [Int]

  public init(_ kind: Kind, axes: [Int]) {
    self.kind = kind
    self.axes = axes
  }

  var attributes: String { "axes \(axes)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    let (dtype, shape) = (operands[0].dtype, operands[0].shape)
    try require(
      zip(axes, axes.dropFirst()).allSatisfy { $0 < $1 }
        && axes.allSatisfy(shape.indices.contains),
      "C1", "axes must be distinct, ascending and in 0..<\(shape.rank)", got: "\(axes)")
    try require(
      kind == .mean ? dtype.isFloatingPoint : dtype != .bool, "C2",
      kind == .mean ? "elements must be floating-point numbers" : "elements must be numbers",
      got: "\(dtype)")
    return [TensorType(dtype, Shape(shape.indices.filter { !axes.contains($0) }.map { shape[$0] }))]
  }
}

/// The index of the largest element along one axis, the first among equals; the axis disappears.
///
/// - C1: the axis is one of the operand's.
/// - C2: elements are numbers.
public struct ArgMax: Hashable, Sendable {
  public let axis: Int

  public init(axis: Int) { self.axis = axis }

  var attributes: String { "axis \(axis)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    try requireAxis(axis, of: operands[0], "C1")
    try require(
      operands[0].dtype != .bool, "C2", "elements must be numbers", got: "\(operands[0].dtype)")
    var shape = operands[0].shape.extents
    shape.remove(at: axis)
    return [TensorType(.int32, Shape(shape))]
  }
}
