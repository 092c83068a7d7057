/// The extents of a tensor's axes, outermost first; images are `[n, c, h, w]`, filters `[o, c, h, w]`.
public struct Shape: Hashable, Sendable {
  public var extents: [Int]

  public init(_ extents: [Int]) { self.extents = extents }

  public var rank: Int { extents.count }

  /// The product of all extents, or `nil` where it is negative or does not fit an `Int`.
  public var checkedElementCount: Int? {
    var count = 1
    for extent in extents {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow || extent < 0 { return nil }
      count = product
    }
    return count
  }

  /// The product of all extents of a shape that was checked before.
  public var elementCount: Int { extents.reduce(1, *) }

  /// The distance, in elements, between neighbours along each axis of a dense row-major tensor.
  public var rowMajorStrides: [Int] {
    var strides = Array(repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * extents[axis + 1]
    }
    return strides
  }
}

extension Shape: ExpressibleByArrayLiteral {
  public init(arrayLiteral extents: Int...) { self.extents = extents }
}

extension Shape: RandomAccessCollection {
  public var startIndex: Int { extents.startIndex }
  public var endIndex: Int { extents.endIndex }
  public subscript(axis: Int) -> Int {
    get { extents[axis] }
    set { extents[axis] = newValue }
  }
}

extension Shape: CustomStringConvertible {
  public var description: String {
    "[" + extents.map(String.init).joined(separator: ", ") + "]"
  }
}
