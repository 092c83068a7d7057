import ApusIR

extension Pool {
  func evaluate(_ x: ReferenceTensor, _ result: TensorType) -> [Double] {
    let (height, width) = (x.shape[2], x.shape[3])
    var values: [Double] = []
    values.reserveCapacity(result.elementCount)
    for plane in 0..<x.shape[0] * x.shape[1] {
      let pixels = x.values[plane * height * width..<(plane + 1) * height * width]
      for i in 0..<result.shape[2] {
        let top = i * stride.height - padding.top
        for j in 0..<result.shape[3] {
          let left = j * stride.width - padding.left
          values.append(fold(pixels, height, width, top: top, left: left))
        }
      }
    }
    return values
  }

  /// The maximum or average of the window whose upper left corner is given.
  private func fold(
    _ pixels: ArraySlice<Double>, _ height: Int, _ width: Int, top: Int, left: Int
  ) -> Double {
    let rows = max(top, 0)..<min(top + kernel.height, height)
    let columns = max(left, 0)..<min(left + kernel.width, width)
    var (sum, largest) = (0.0, -Double.infinity)
    for row in rows {
      for column in columns {
        let pixel = pixels[pixels.startIndex + row * width + column]
        sum += pixel
        largest = larger(largest, pixel)
      }
    }
    switch kind {
    case .max: return largest
    case .average(countsPadding: false): return sum / Double(rows.count * columns.count)
    case .average(countsPadding: true):
      // The padding counts, but not what hangs over it in ceil mode.
      let bottom = min(top + kernel.height, height + padding.bottom)
      let right = min(left + kernel.width, width + padding.right)
      return sum / Double((bottom - top) * (right - left))
    }
  }
}
