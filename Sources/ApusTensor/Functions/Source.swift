import ApusIR

extension Tensor {
  /// A constant of this tensor's type with every element the same.
  public func filled(with value: Double) throws -> Tensor { try constant(value, shape) }
}
