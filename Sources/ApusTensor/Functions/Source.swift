import ApusIR

extension Tensor {
  /// A constant of this tensor's type with every element the same.
  public func filled(with value: Double) throws -> Tensor { try constant(value, shape) }

  /// Copies of one value in this tensor's type, made where they are read.
  package func copies(of value: Double) throws -> Tensor {
    try constant(value).broadcast(to: shape)
  }
}

/// Whether each of `classes` classes is a row's label: `[n] → bool[n, k]`; a row whose label is
/// none of `0..<k` has no true element.
public func oneHot(_ labels: Tensor, classes: Int) throws -> Tensor {
  let type = TensorType(labels.dtype, Shape(labels.shape.extents + [classes]))
  let indices = try labels.builder.append(.iota(Iota(type, axis: type.rank - 1)), [])[0]
  let column = try labels.reshaped(to: Shape(labels.shape.extents + [1]))
  return try indices.compared(.equal, column)
}
