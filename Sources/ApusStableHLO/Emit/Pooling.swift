import ApusIR

extension Pool {
  func emit(_ operand: Emitted, _ type: TensorType, into function: inout Function) -> Emitted {
    if kernel == Size2D(1), stride == Size2D(1), padding == Padding2D(0) { return operand }
    let (x, order) = function.term(operand)
    let window = Windows(pool: self, images: operand.type.shape, result: type.shape, order: order)
    let pooled: Term
    switch kind {
    case .max: pooled = window.fold(x, .maximum, into: &function)
    case .average:
      pooled = function.widened([x]) { function, x in
        let sum = window.fold(x[0], .add, into: &function)
        return function.map("divide", sum, window.counts(sum.type, into: &function))
      }
    }
    return function.define(type, order, pooled)
  }
}

/// The windows of a pooling over images that lie in some order.
private struct Windows {
  let pool: Pool
  let images: Shape
  let result: Shape
  let order: [Int]

  func fold(_ x: Term, _ folding: Folding, into function: inout Function) -> Term {
    let physical = Shape(order.map { result[$0] })
    if coversImage {
      let places = [2, 3].map { order.firstIndex(of: $0)! }
      return function.reshape(function.fold(x, folding, places: places), to: physical)
    }
    let (kernel, stride) = (pool.kernel, pool.stride)
    let padding = pool.effectivePadding(input: images, output: result)
    // What no window reaches need not be cut off: a window that does not fit is not there.
    let sides = [
      (0, 0), (0, 0), (padding.top, max(padding.bottom, 0)),
      (padding.left, max(padding.right, 0)),
    ]
    let extents = [1, 1, kernel.height, kernel.width]
    let strides = [1, 1, stride.height, stride.width]
    return function.foldWindows(
      x, folding, extents: order.map { extents[$0] }, strides: order.map { strides[$0] },
      padding: order.map { (low: sides[$0].0, high: sides[$0].1) }, to: physical)
  }

  /// Whether the only window holds the whole image: a reduction is faster on a GPU.
  private var coversImage: Bool {
    result[2] == 1 && result[3] == 1 && pool.kernel.height - pool.padding.top >= images[2]
      && pool.kernel.width - pool.padding.left >= images[3]
  }

  /// The number of pixels that each average is taken over.
  func counts(_ type: TensorType, into function: inout Function) -> Term {
    let (kernel, stride, padding) = (pool.kernel, pool.stride, pool.padding)
    let rows = counts(
      images[2], result[2], kernel.height, stride.height, (padding.top, padding.bottom))
    let columns = counts(
      images[3], result[3], kernel.width, stride.width, (padding.left, padding.right))
    if Set(rows).count == 1 && Set(columns).count == 1 {
      return function.splat(rows[0] * columns[0], type)
    }
    let factors = [(axis: 2, counts: rows), (axis: 3, counts: columns)].map { axis, counts in
      let constant = Constant(TensorType(type.dtype, [counts.count]), counts)
      return function.broadcast(
        constant.emit(in: [0], into: &function), to: type,
        places: [order.firstIndex(of: axis)!])
    }
    return function.map("multiply", factors[0], factors[1])
  }

  /// Along one axis, for each window.
  private func counts(
    _ extent: Int, _ windows: Int, _ kernel: Int, _ stride: Int, _ padding: (low: Int, high: Int)
  ) -> [Double] {
    (0..<windows).map { window in
      let start = window * stride - padding.low
      switch pool.kind {
      // Padding counts, but not what hangs over it in ceil mode.
      case .average(countsPadding: true):
        return Double(min(start + kernel, extent + padding.high) - start)
      case .average(countsPadding: false), .max:
        return Double(min(start + kernel, extent) - max(start, 0))
      }
    }
  }
}
