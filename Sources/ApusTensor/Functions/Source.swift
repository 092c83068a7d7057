import ApusIR

extension Tensor {
  /// A constant of this tensor's type with every element the same.
  public func filled(with value: Double) throws -> Tensor { try constant(value, shape) }

  /// Copies of one value in this tensor's type, made where they are read.
  package func copies(of value: Double) throws -> Tensor {
    try constant(value).broadcast(to: shape)
  }
}
