import ApusIR

extension Convolution {
  func evaluate(_ operands: [ReferenceTensor], _ result: TensorType) -> [Double] {
    let bias = operands.count == 3 ? operands[2].values : nil
    let (images, outputs) = (operands[0].shape, result.shape)
    var values: [Double] = []
    values.reserveCapacity(outputs.elementCount)
    for n in 0..<outputs[0] {
      for o in 0..<outputs[1] {
        for row in 0..<outputs[2] {
          for column in 0..<outputs[3] {
            let top = row * stride.height - padding.top
            let left = column * stride.width - padding.left
            values.append(
              (bias?[o] ?? 0)
                + product(
                  operands[0].values, images, operands[1].values, operands[1].shape, n: n, o: o,
                  top: top, left: left))
          }
        }
      }
    }
    return values
  }

  /// The product of filter `o` with the window of image `n` whose upper left corner is given.
  private func product(
    _ x: [Double], _ images: Shape, _ w: [Double], _ filters: Shape, n: Int, o: Int, top: Int,
    left: Int
  ) -> Double {
    let (channels, height, width) = (images[1], images[2], images[3])
    let (perGroup, kernelHeight, kernelWidth) = (filters[1], filters[2], filters[3])
    let firstChannel = o / (filters[0] / groups) * perGroup
    var sum = 0.0
    for c in 0..<perGroup {
      for i in 0..<kernelHeight {
        let row = top + i * dilation.height
        guard 0 <= row && row < height else { continue }
        let line = ((n * channels + firstChannel + c) * height + row) * width
        let weights = ((o * perGroup + c) * kernelHeight + i) * kernelWidth
        for j in 0..<kernelWidth {
          let column = left + j * dilation.width
          guard 0 <= column && column < width else { continue }
          sum += x[line + column] * w[weights + j]
        }
      }
    }
    return sum
  }
}

extension ConvolutionInputGradient {
  func evaluate(
    _ gradient: ReferenceTensor, _ filters: ReferenceTensor, _ result: TensorType
  ) -> [Double] {
    let (g, weights) = (gradient.values, filters.values)
    return sums(result) { dx in
      convolution.forEachProduct(result.shape, filters.shape, gradient.shape) { x, w, y in
        dx[x] += g[y] * weights[w]
      }
    }
  }
}

extension ConvolutionFilterGradient {
  func evaluate(
    _ images: ReferenceTensor, _ gradient: ReferenceTensor, _ result: TensorType
  ) -> [Double] {
    let (pixels, g) = (images.values, gradient.values)
    return sums(result) { dw in
      convolution.forEachProduct(images.shape, result.shape, gradient.shape) { x, w, y in
        dw[w] += pixels[x] * g[y]
      }
    }
  }
}

extension Convolution {
  /// Visits every product `x · w` that is part of a result `y`, by their indices.
  @inline(__always)  // a call for each product would take most of the time
  fileprivate func forEachProduct(
    _ images: Shape, _ filters: Shape, _ results: Shape,
    _ visit: (_ x: Int, _ w: Int, _ y: Int) -> Void
  ) {
    let (perGroup, height, width) = (filters[1], images[2], images[3])
    var y = 0
    for n in 0..<results[0] {
      for o in 0..<results[1] {
        let firstChannel = n * images[1] + o / (filters[0] / groups) * perGroup
        for top in (0..<results[2]).lazy.map({ $0 * stride.height - padding.top }) {
          for left in (0..<results[3]).lazy.map({ $0 * stride.width - padding.left }) {
            for c in 0..<perGroup {
              for i in 0..<filters[2] {
                let row = top + i * dilation.height
                guard 0 <= row && row < height else { continue }
                let line = ((firstChannel + c) * height + row) * width
                let weights = ((o * perGroup + c) * filters[2] + i) * filters[3]
                for j in 0..<filters[3] {
                  let column = left + j * dilation.width
                  if 0 <= column && column < width { visit(line + column, weights + j, y) }
                }
              }
            }
            y += 1
          }
        }
      }
    }
  }
}

/// Zeros to which `body` adds.
private func sums(
  _ result: TensorType, _ body: (UnsafeMutableBufferPointer<Double>) -> Void
) -> [Double] {
  Array(unsafeUninitializedCapacity: result.elementCount) { values, count in
    values.initialize(repeating: 0)
    count = result.elementCount
    body(values)
  }
}
