import ApusIR

/// How a tensor is spelled in a module: its logical type, and the order of its axes in memory.
public struct PhysicalType: Hashable, Sendable {
  /// The type in the graph: images are `[n, c, h, w]`, filters `[o, c, h, w]`.
  public let logical: TensorType
  /// The logical axis at each place, outermost first: `[0, 2, 3, 1]` is NHWC, and OHWI.
  public let order: [Int]

  /// - Precondition: `order` is a permutation of the axes.
  public init(_ logical: TensorType, order: [Int]) {
    precondition(order.sorted() == Array(0..<logical.rank))
    self.logical = logical
    self.order = order
  }

  /// The type in the module.
  public var physical: TensorType {
    TensorType(logical.dtype, Shape(order.map { logical.shape[$0] }))
  }

  /// Whether the axes lie in their logical order.
  public var isRowMajor: Bool { order == Array(order.indices) }
}

extension PhysicalType: CustomStringConvertible {
  /// The logical type, and the order where it is another than the logical one.
  public var description: String {
    isRowMajor ? logical.description : "\(logical) with axes \(order) in memory"
  }
}
