import ApusIR

extension Tensor {
  /// The same elements, row-major, under another shape.
  public func reshaped(to shape: Shape) throws -> Tensor {
    shape == self.shape ? self : try Self.record(.reshape(shape), self)
  }

  /// `[n, …] → [n, product of the rest]`
  public func flattened() throws -> Tensor {
    try reshaped(to: [shape.first ?? 1, shape.dropFirst().reduce(1, *)])
  }

  /// Axes in another order: axis `i` of the result is axis `permutation[i]`.
  public func transposed(_ permutation: [Int]) throws -> Tensor {
    try Self.record(.transpose(Transpose(permutation)), self)
  }

  /// Repeats along unit and new axes; `axes` gives the result's axis for each of this tensor's
  /// (the last ones by default).
  public func broadcast(to shape: Shape, axes: [Int]? = nil) throws -> Tensor {
    if shape == self.shape { return self }
    let axes = axes ?? Array(max(shape.rank - rank, 0)..<shape.rank)
    return try Self.record(.broadcast(Broadcast(to: shape, axes: axes)), self)
  }

  /// The box from `starts` up to, but not including, `ends`.
  public func sliced(from starts: [Int], to ends: [Int], by steps: [Int]? = nil) throws -> Tensor {
    try Self.record(.slice(Slice(starts: starts, ends: ends, steps: steps)), self)
  }

  /// Surrounds the tensor with copies of `value`.
  public func padded(
    low: [Int], high: [Int], interior: [Int]? = nil, value: Double = 0
  ) throws -> Tensor {
    try Self.record(
      .pad(Pad(low: low, high: high, interior: interior, value: value)), self)
  }
}

/// Tensors one after the other along an axis (channels by default).
public func concatenate(_ tensors: [Tensor], axis: Int = 1) throws -> Tensor {
  guard let first = tensors.first else {
    throw GraphError(
      path: "", op: "concatenate",
      violation: Violation(
        constraint: "C1", requirement: "there must be at least one operand", given: "none"),
      operands: [])
  }
  return try first.builder.append(.concatenate(Concatenate(axis: axis)), tensors)[0]
}

/// The tensors unchanged; no rewrite moves or merges nodes across the barrier.
public func barrier(_ tensors: [Tensor]) throws -> [Tensor] {
  guard let first = tensors.first else { return [] }
  return try first.builder.append(.barrier, tensors)
}
