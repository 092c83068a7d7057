import ApusIR

extension Pool {
  func evaluate(_ x: ReferenceTensor, _ result: TensorType) -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(result.elementCount)
    forEachWindow(of: x.shape, result.shape) { window in
      values.append(
        kind == .max
          ? window.indices.reduce(-.infinity) { larger($0, x.values[$1]) }
          : window.indices.reduce(0) { $0 + x.values[$1] } / window.divisor)
    }
    return values
  }

  /// The pixels of one window.
  fileprivate struct Window {
    /// Where they are in the images, row by row.
    let indices: [Int]
    /// What the sum of an average is divided by.
    let divisor: Double
  }

  /// Visits the windows in the order of the result's elements.
  fileprivate func forEachWindow(
    of images: Shape, _ result: Shape, _ visit: (Window) -> Void
  ) {
    let (height, width) = (images[2], images[3])
    for plane in 0..<result[0] * result[1] {
      for top in (0..<result[2]).lazy.map({ $0 * stride.height - padding.top }) {
        let rows = max(top, 0)..<min(top + kernel.height, height)
        for left in (0..<result[3]).lazy.map({ $0 * stride.width - padding.left }) {
          let columns = max(left, 0)..<min(left + kernel.width, width)
          let indices = rows.flatMap { row in
            columns.lazy.map { (plane * height + row) * width + $0 }
          }
          visit(
            Window(
              indices: indices,
              divisor: divisor(inside: indices.count, height, width, top: top, left: left)))
        }
      }
    }
  }

  /// Of the window whose upper left corner is given.
  private func divisor(
    inside: Int, _ height: Int, _ width: Int, top: Int, left: Int
  ) -> Double {
    guard kind == .average(countsPadding: true) else { return Double(inside) }
    // The padding counts, but not what hangs over it in ceil mode.
    let bottom = min(top + kernel.height, height + padding.bottom)
    let right = min(left + kernel.width, width + padding.right)
    return Double((bottom - top) * (right - left))
  }
}

extension PoolGradient {
  func evaluate(_ operands: [ReferenceTensor], _ result: TensorType) -> [Double] {
    let (x, gradient) = (operands[0].values, operands[operands.count - 1])
    var values = Array(repeating: 0.0, count: result.elementCount)
    var next = 0
    pool.forEachWindow(of: result.shape, gradient.shape) { window in
      if pool.kind == .max {
        values[firstLargest(of: window.indices, in: x)] += gradient.values[next]
      } else {
        for index in window.indices { values[index] += gradient.values[next] / window.divisor }
      }
      next += 1
    }
    return values
  }

  /// NaN counts as larger than any number.
  private func firstLargest(of indices: [Int], in x: [Double]) -> Int {
    indices.dropFirst().reduce(indices[0]) { best, index in
      x[index] > x[best] || (x[index].isNaN && !x[best].isNaN) ? index : best
    }
  }
}
