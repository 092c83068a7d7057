import ApusIR

extension Tensor {
  /// Folds the elements along `axes` into one; those axes disappear.
  public func reduced(_ kind: Reduce.Kind, axes: [Int]) throws -> Tensor {
    try Self.record(.reduce(Reduce(kind, axes: axes)), self)
  }

  public func sum(_ axes: Int...) throws -> Tensor { try reduced(.sum, axes: axes) }
  public func mean(_ axes: Int...) throws -> Tensor { try reduced(.mean, axes: axes) }

  /// The index of the largest element along `axis`, as `int32`.
  public func argMax(axis: Int) throws -> Tensor {
    try Self.record(.argMax(ArgMax(axis: axis)), self)
  }
}
