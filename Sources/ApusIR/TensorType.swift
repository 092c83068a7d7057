/// What is known of a tensor before it has values: the type of its elements and its shape.
public struct TensorType: Hashable, Sendable {
  public var dtype: DType
  public var shape: Shape

  public init(_ dtype: DType, _ shape: Shape) {
    self.dtype = dtype
    self.shape = shape
  }

  public var rank: Int { shape.rank }
  public var elementCount: Int { shape.elementCount }
  public var sizeInBytes: Int { elementCount * dtype.sizeInBytes }

  /// The largest tensor the library accepts, in bytes: sums of thousands of such sizes fit an `Int`.
  public static let largestSizeInBytes = 1 << 46
}

extension TensorType: CustomStringConvertible {
  public var description: String { "\(dtype)\(shape)" }
}
