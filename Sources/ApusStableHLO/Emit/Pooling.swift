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

extension PoolGradient {
  func emit(_ operands: [Emitted], _ type: TensorType, into function: inout Function) -> Emitted {
    let gradient = operands[operands.count - 1]
    let (g, order) = function.term(gradient)
    let window = Windows(
      pool: pool, images: type.shape, result: gradient.type.shape, order: order)
    let x = readsImages ? function.term(operands[0], in: order) : nil
    let result = function.widened([g]) { function, wide in
      if let x { return window.giveToLargest(of: x, wide[0], into: &function) }
      let share = function.map(
        "divide", wide[0], window.counts(wide[0].type, into: &function))
      return window.share(share, into: &function)
    }
    return function.define(type, order, result)
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

// Gradients.
extension Windows {
  /// Adds, for each pixel, the terms of the windows that it is in.
  func share(_ terms: Term, into function: inout Function) -> Term {
    let physical = TensorType(terms.type.dtype, Shape(order.map { images[$0] }))
    if coversImage {
      return function.broadcast(terms, to: physical, places: Array(order.indices))
    }
    let (kernel, padding) = (pool.kernel, pool.padding)
    let low = [0, 0, kernel.height - 1 - padding.top, kernel.width - 1 - padding.left]
    let extents = [1, 1, kernel.height, kernel.width]
    let padded = spread(
      terms, low: low, to: images.indices.map { images[$0] + extents[$0] - 1 }, into: &function)
    return function.foldWindows(
      padded, .add, extents: order.map { extents[$0] }, strides: order.map { _ in 1 },
      padding: order.map { _ in (0, 0) }, to: physical.shape)
  }

  /// Adds each window's term to the first of its largest pixels.
  ///
  /// Slices, comparisons and paddings become two loops on a GPU; `select_and_scatter` would write
  /// indices and add atomically.
  func giveToLargest(of x: Term, _ terms: Term, into function: inout Function) -> Term {
    let offsets = (0..<pool.kernel.height).flatMap { i in
      (0..<pool.kernel.width).map { j in [0, 0, i, j] }
    }
    let parts = slices(x, offsets, around: -.infinity, into: &function)
    let largest = parts.dropFirst().reduce(parts[0]) { function.map("maximum", $0, $1) }
    // Of infinities only those of the image count.
    let image = function.splat(1, x.type.with(.bool))
    let inside = slices(image, offsets, around: 0, into: &function)
    let zero = function.splat(0, terms.type)
    var (open, sum): (Term?, Term?)
    for (offset, (part, inside)) in zip(offsets, zip(parts, inside)) {
      let isLargest = function.map(
        "or", function.compare(part, "EQ", largest), function.compare(part, "NE", part))
      var takes = function.map("and", isLargest, inside)
      if let isOpen = open { takes = function.map("and", takes, isOpen) }
      let rest = function.map("not", takes)
      open = open.map { function.map("and", $0, rest) } ?? rest
      let low = [0, 0, offset[2] - pool.padding.top, offset[3] - pool.padding.left]
      let given = spread(
        function.select(takes, terms, zero), low: low, to: images.extents, into: &function)
      sum = sum.map { function.map("add", $0, given) } ?? given
    }
    return sum ?? zero
  }

  /// For each offset into the windows, the pixels that they have there.
  private func slices(
    _ x: Term, _ offsets: [[Int]], around value: Double, into function: inout Function
  ) -> [Term] {
    let (stride, padding) = (pool.stride, pool.padding)
    let reach = [
      0, 0, (result[2] - 1) * stride.height + pool.kernel.height,
      (result[3] - 1) * stride.width + pool.kernel.width,
    ]
    let low = [0, 0, padding.top, padding.left]
    let high = images.indices.map { max(reach[$0] - images[$0] - low[$0], 0) }
    let padded =
      (low + high).allSatisfy { $0 == 0 }
      ? x
      : function.pad(
        x, value, low: order.map { low[$0] }, high: order.map { high[$0] },
        interior: order.map { _ in 0 })
    let strides = [1, 1, stride.height, stride.width]
    return offsets.map { offset in
      function.slice(
        padded, from: order.map { offset[$0] },
        to: order.map { offset[$0] + (result[$0] - 1) * strides[$0] + 1 },
        by: order.map { strides[$0] })
    }
  }

  /// Terms of windows, a stride apart from `low` on, among zeros.
  private func spread(
    _ terms: Term, low: [Int], to extents: [Int], into function: inout Function
  ) -> Term {
    let strides = [1, 1, pool.stride.height, pool.stride.width]
    let high = extents.indices.map {
      extents[$0] - low[$0] - (result[$0] - 1) * strides[$0] - 1
    }
    return function.pad(
      terms, 0, low: order.map { low[$0] }, high: order.map { high[$0] },
      interior: order.map { strides[$0] - 1 })
  }
}
