/// The same elements, in row-major order, under another shape.
///
/// - C1: both shapes have the same number of elements.
enum Reshape {
  static func resultTypes(
    _ operands: [TensorType], to shape: Shape
  ) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    try require(
      shape.checkedElementCount == operands[0].elementCount, "C1",
      "the new shape must have as many elements",
      got: "\(shape) for \(operands[0].elementCount) elements")
    return [TensorType(operands[0].dtype, shape)]
  }
}

/// Axes in another order: axis `i` of the result is axis `permutation[i]` of the operand.
///
/// - C1: a permutation of the operand's axes.
public struct Transpose: Hashable, Sendable {
  public let permutation: [Int]

  public init(_ permutation: [Int]) { self.permutation = permutation }

  var attributes: String { "\(permutation)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    let shape = operands[0].shape
    try require(
      permutation.sorted() == Array(shape.indices), "C1",
      "the order must be a permutation of the axes 0..<\(shape.rank)", got: "\(permutation)")
    return [TensorType(operands[0].dtype, Shape(permutation.map { shape[$0] }))]
  }
}

/// Repeats a tensor along new or unit axes.
///
/// - C1: `axes` gives, ascending, the result's axis for each axis of the operand.
/// - C2: every extent of the operand is 1 or the result's.
/// - C3: every extent is at least 1 and the tensor is at most ``TensorType/largestSizeInBytes``.
public struct Broadcast: Hashable, Sendable {
  public let shape: Shape
  public let axes: [Int]

  public init(to shape: Shape, axes: [Int]) {
    self.shape = shape
    self.axes = axes
  }

  var attributes: String { "to \(shape), axes \(axes)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    let type = TensorType(operands[0].dtype, shape)
    try requireSize(type, "C3")
    try require(
      axes.count == operands[0].rank && zip(axes, axes.dropFirst()).allSatisfy { $0 < $1 }
        && axes.allSatisfy(shape.indices.contains),
      "C1", "axes must give one ascending axis of \(shape) for each axis of \(operands[0].shape)",
      got: "\(axes)")
    for (axis, extent) in zip(axes, operands[0].shape) {
      try require(
        extent == 1 || extent == shape[axis], "C2",
        "extents must be 1 or equal to the result's \(shape)", got: "\(operands[0].shape)")
    }
    return [type]
  }
}

/// A box of a tensor.
///
/// - C1: one start, end and step for each axis.
/// - C2: 0 ≤ start < end ≤ extent and step ≥ 1.
public struct Slice: Hashable, Sendable {
  public let starts: [Int]
  public let ends: [Int]
  public let steps: [Int]

  public init(starts: [Int], ends: [Int], steps: [Int]? = nil) {
    self.starts = starts
    self.ends = ends
    self.steps = steps ?? Array(repeating: 1, count: starts.count)
  }

  var attributes: String { "\(starts) ..< \(ends) by \(steps)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    let shape = operands[0].shape
    try require(
      [starts.count, ends.count, steps.count].allSatisfy { $0 == shape.rank }, "C1",
      "a slice must give one start, end and step for each axis", got: attributes)
    for axis in shape.indices {
      try require(
        0 <= starts[axis] && starts[axis] < ends[axis] && ends[axis] <= shape[axis]
          && steps[axis] >= 1,
        "C2", "a slice must be inside the tensor, not empty, with steps of at least 1",
        got: attributes)
    }
    return [
      TensorType(
        operands[0].dtype,
        Shape(shape.indices.map { (ends[$0] - starts[$0] - 1) / steps[$0] + 1 }))
    ]
  }
}

/// Surrounds a tensor with copies of one value; interior padding puts them between neighbours.
///
/// - C1: one low, high and interior count, not negative, for each axis.
/// - C2: the tensor is at most ``TensorType/largestSizeInBytes``.
public struct Pad: Hashable, Sendable {
  public let low: [Int]
  public let high: [Int]
  public let interior: [Int]
  public let value: Double

  public init(low: [Int], high: [Int], interior: [Int]? = nil, value: Double = 0) {
    self.low = low
    self.high = high
    self.interior = interior ?? Array(repeating: 0, count: low.count)
    self.value = value
  }

  var attributes: String { "low \(low), high \(high), interior \(interior), value \(value)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    let shape = operands[0].shape
    let limit = TensorType.largestSizeInBytes
    try require(
      [low, high, interior].allSatisfy { counts in
        counts.count == shape.rank && counts.allSatisfy { 0 <= $0 && $0 < limit }
      }, "C1", "padding must give counts, not negative, for each axis", got: attributes)
    var padded = shape
    for axis in shape.indices {
      let (between, overflow) = (shape[axis] - 1).multipliedReportingOverflow(by: interior[axis])
      try require(!overflow && between < limit, "C2", "padding must be moderate", got: attributes)
      padded[axis] += low[axis] + high[axis] + between
    }
    let type = TensorType(operands[0].dtype, padded)
    try requireSize(type, "C2")
    return [type]
  }
}

/// Tensors one after the other along an axis.
///
/// - C1: all operands have one rank and element type; the axis is one of theirs.
/// - C2: all other extents are equal; the result is at most ``TensorType/largestSizeInBytes``.
public struct Concatenate: Hashable, Sendable {
  public let axis: Int

  public init(axis: Int) { self.axis = axis }

  var attributes: String { "axis \(axis)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...Int.max)
    let first = operands[0]
    try require(
      operands.allSatisfy { $0.rank == first.rank && $0.dtype == first.dtype }, "C1",
      "all operands must have one rank and element type", got: "\(operands)")
    try requireAxis(axis, of: first, "C1")
    var shape = first.shape
    for operand in operands.dropFirst() {
      let others = shape.indices.filter { $0 != axis }
      try require(
        others.allSatisfy { operand.shape[$0] == first.shape[$0] }, "C2",
        "all extents but that of axis \(axis) must be equal",
        got: "\(first.shape) and \(operand.shape)")
      shape[axis] += operand.shape[axis]
    }
    let type = TensorType(first.dtype, shape)
    try requireSize(type, "C2")
    return [type]
  }
}

/// Its operands, at least one, unchanged; no rewrite moves or merges nodes across it.
enum Barrier {
  static func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...Int.max)
    return operands
  }
}
