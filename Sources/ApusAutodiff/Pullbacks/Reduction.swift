import ApusIR
import ApusTensor

extension Reduce {
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    let shape = call.operandTypes[0].shape
    let kept = shape.indices.filter { !axes.contains($0) }
    let count = Double(axes.reduce(1) { $0 * shape[$1] })
    func spread(_ tensor: Tensor) throws -> Tensor {
      try tensor.broadcast(to: shape, axes: Array(kept))
    }
    return try call.linear { g in
      switch kind {
      case .sum: return try spread(g)
      case .mean: return try spread(g / count)
      case .max, .min:
        // Equal extrema share the gradient.
        let x = try call.operand(0)
        let isExtreme = try x.compared(.equal, spread(call.result())).converted(to: g.dtype)
        return try isExtreme * spread(g / isExtreme.reduced(.sum, axes: axes))
      case .product: return try spread(g) * product(without: call.operand(0), spread)
      }
    }
  }

  /// For each element the product of the others: a zero among them leaves nothing but its own.
  private func product(
    without x: Tensor, _ spread: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    let (zero, one) = (try x.copies(of: 0), try x.copies(of: 1))
    let isZero = try x.compared(.equal, zero)
    let zeros = try spread(isZero.converted(to: x.dtype).reduced(.sum, axes: axes))
    let factors = try select(isZero, one, x)
    let product = try spread(factors.reduced(.product, axes: axes))
    let others = try select(isZero, zeros - 1, zeros)
    return try select(others.compared(.equal, zero), product / factors, zero)
  }
}
