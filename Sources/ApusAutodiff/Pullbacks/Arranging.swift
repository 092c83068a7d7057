import ApusIR
import ApusTensor

func reshapePullback(_ call: PullbackCall) throws -> [Tensor?] {
  try call.linear { try $0.reshaped(to: call.operandTypes[0].shape) }
}

extension Transpose {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    let inverse = permutation.indices.sorted { permutation[$0] < permutation[$1] }
    return try call.linear { try $0.transposed(inverse) }
  }
}

extension Broadcast {
  /// The sum over all copies.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    let operand = call.operandTypes[0].shape
    let own = zip(axes, operand).filter { axis, extent in extent == shape[axis] }.map(\.0)
    let copied = shape.indices.filter { !own.contains($0) }
    return try call.linear { try $0.reduced(.sum, axes: copied).reshaped(to: operand) }
  }
}

extension Slice {
  /// Zeros where nothing was taken.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    let shape = call.operandTypes[0].shape
    return try call.linear { g in
      let high = shape.indices.map { axis in
        shape[axis] - starts[axis] - (g.shape[axis] - 1) * steps[axis] - 1
      }
      return try g.padded(low: starts, high: high, interior: steps.map { $0 - 1 })
    }
  }
}

extension Pad {
  /// The elements that were not added.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    let shape = call.operandTypes[0].shape
    let ends = shape.indices.map { low[$0] + (shape[$0] - 1) * (interior[$0] + 1) + 1 }
    return try call.linear { try $0.sliced(from: low, to: ends, by: interior.map { $0 + 1 }) }
  }
}

extension Concatenate {
  /// Each operand's part.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    guard let g = call.gradients[0] else { return [] }
    var start = 0
    return try call.operandTypes.enumerated().map { position, type in
      var starts = type.shape.map { _ in 0 }
      var ends = type.shape.extents
      (starts[axis], ends[axis]) = (start, start + type.shape[axis])
      start = ends[axis]
      return try call.gradient(of: position) { try g.sliced(from: starts, to: ends) }
    }
  }
}
