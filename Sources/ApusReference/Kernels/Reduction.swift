import ApusIR

extension Reduce {
  func evaluate(_ x: ReferenceTensor) -> [Double] {
    let kept = x.shape.indices.filter { !axes.contains($0) }
    let result = Shape(kept.map { x.shape[$0] })
    var strides = Array(repeating: 0, count: x.shape.rank)
    for (axis, stride) in zip(kept, result.rowMajorStrides) { strides[axis] = stride }
    var values = Array(repeating: start, count: result.elementCount)
    for (value, target) in zip(x.values, x.shape.offsets(strides: strides)) {
      values[target] = combine(values[target], value)
    }
    let count = Double(x.values.count / values.count)
    return kind == .mean ? values.map { $0 / count } : values
  }

  private var start: Double {
    switch kind {
    case .sum, .mean: 0
    case .product: 1
    case .max: -.infinity
    case .min: .infinity
    }
  }

  private func combine(_ a: Double, _ b: Double) -> Double {
    switch kind {
    case .sum, .mean: a + b
    case .product: a * b
    case .max: larger(a, b)
    case .min: smaller(a, b)
    }
  }
}

extension ArgMax {
  /// NaN counts as larger than any number, as `max` propagates it.
  func evaluate(_ x: ReferenceTensor) -> [Double] {
    let extent = x.shape[axis]
    let inner = x.shape.rowMajorStrides[axis]
    let outer = x.values.count / (extent * inner)
    return (0..<outer * inner).map { position in
      let first = position / inner * extent * inner + position % inner
      var best = 0
      for index in 1..<max(extent, 1) {
        let (value, largest) = (x.values[first + index * inner], x.values[first + best * inner])
        if value > largest || (value.isNaN && !largest.isNaN) { best = index }
      }
      return Double(best)
    }
  }
}
