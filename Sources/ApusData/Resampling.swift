/// The weights that resize one axis of a picture, for a window of the result only.
///
/// The arithmetic is that of Pillow's `Image.resize` for 8-bit pictures: each weight in double
/// precision, normalised per result, then rounded to fixed point; so results are equal to the bit.
struct AxisWeights {
  /// The bits after the point: the sum over any filter times 255 fits 32 bits.
  static let precision: Int32 = 32 - 8 - 2
  static let half: Int32 = 1 << (precision - 1)

  /// Per result: the first source index, and how many follow.
  private(set) var starts: [Int] = []
  private(set) var counts: [Int] = []
  /// `stride` weights per result, of which `counts[i]` matter.
  private(set) var weights: [Int32]
  let stride: Int

  /// The source indices that any result needs.
  var sources: Range<Int> {
    guard let first = starts.first, let last = starts.last, let count = counts.last else {
      return 0..<0
    }
    return first..<last + count
  }

  /// Resizes `source` samples to `target`, of which only those in `window` are wanted.
  init(source: Int, target: Int, window: Range<Int>, interpolation: Interpolation) {
    let scale = Double(source) / Double(target)
    let widening = max(scale, 1)
    let support = interpolation.support * widening
    stride = Int(support.rounded(.up)) * 2 + 1
    weights = Array(repeating: 0, count: window.count * stride)
    starts.reserveCapacity(window.count)
    counts.reserveCapacity(window.count)
    var exact = [Double](repeating: 0, count: stride)
    for (row, index) in window.enumerated() {
      let center = (Double(index) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let count = min(Int(center + support + 0.5), source) - start
      var total = 0.0
      for tap in 0..<count {
        let distance = (Double(tap + start) - center + 0.5) * (1 / widening)
        exact[tap] = interpolation.weight(at: distance)
        total += exact[tap]
      }
      for tap in 0..<count {
        let weight = total == 0 ? exact[tap] : exact[tap] / total
        let scaled = weight * Double(1 << Self.precision)
        weights[row * stride + tap] = Int32(scaled + (scaled < 0 ? -0.5 : 0.5))
      }
      starts.append(start)
      counts.append(count)
    }
  }
}

/// Resizes one window of a picture in two passes, with 8 bits between them.
struct Resampling {
  let columns: AxisWeights
  let rows: AxisWeights
  /// Whether the height is resized before the width: the rounding between them then differs.
  let isHeightFirst: Bool

  /// Part of a picture between the passes: its samples, and where they lie in the whole.
  private struct Part {
    let samples: [UInt8]
    let bytesPerRow: Int
    var top = 0
    var left = 0
  }

  /// The `[rows, columns, 3]` samples of the window.
  func callAsFunction(_ image: RGBImage) -> [UInt8] {
    let whole = Part(samples: image.pixels, bytesPerRow: image.width * 3)
    if isHeightFirst {
      let part = resizeHeight(of: whole, columns: columns.sources)
      return resizeWidth(of: part, rows: 0..<rows.starts.count).samples
    }
    let part = resizeWidth(of: whole, rows: rows.sources)
    return resizeHeight(of: part, columns: 0..<columns.starts.count).samples
  }

  private func resizeWidth(of part: Part, rows kept: Range<Int>) -> Part {
    let bytesPerRow = columns.starts.count * 3
    let samples = part.samples.withUnsafeBufferPointer { source in
      [UInt8](unsafeUninitializedCapacity: kept.count * bytesPerRow) { target, count in
        count = kept.count * bytesPerRow
        for (index, row) in kept.enumerated() {
          resizeRow(
            UnsafeBufferPointer(rebasing: source[(row * part.bytesPerRow)...]), left: part.left,
            into: UnsafeMutableBufferPointer(rebasing: target[(index * bytesPerRow)...]))
        }
      }
    }
    return Part(samples: samples, bytesPerRow: bytesPerRow, top: kept.lowerBound)
  }

  private func resizeRow(
    _ source: UnsafeBufferPointer<UInt8>, left: Int,
    into target: UnsafeMutableBufferPointer<UInt8>
  ) {
    columns.weights.withUnsafeBufferPointer { weights in
      for column in 0..<columns.starts.count {
        var (red, green, blue) = (AxisWeights.half, AxisWeights.half, AxisWeights.half)
        var pixel = (columns.starts[column] &- left) &* 3
        let first = column &* columns.stride
        for tap in first..<first &+ columns.counts[column] {
          let weight = weights[tap]
          red &+= Int32(source[pixel]) &* weight
          green &+= Int32(source[pixel &+ 1]) &* weight
          blue &+= Int32(source[pixel &+ 2]) &* weight
          pixel &+= 3
        }
        target[column &* 3] = UInt8(clamping: red >> AxisWeights.precision)
        target[column &* 3 &+ 1] = UInt8(clamping: green >> AxisWeights.precision)
        target[column &* 3 &+ 2] = UInt8(clamping: blue >> AxisWeights.precision)
      }
    }
  }

  private func resizeHeight(of part: Part, columns kept: Range<Int>) -> Part {
    let bytesPerRow = kept.count * 3
    var sums = [Int32](repeating: 0, count: bytesPerRow)
    let samples = part.samples.withUnsafeBufferPointer { source in
      [UInt8](unsafeUninitializedCapacity: rows.starts.count * bytesPerRow) { target, count in
        count = rows.starts.count * bytesPerRow
        sums.withUnsafeMutableBufferPointer { sums in
          for row in 0..<rows.starts.count {
            let first = (rows.starts[row] - part.top) * part.bytesPerRow + kept.lowerBound * 3
            blendRows(row, of: source, from: first, bytesPerRow: part.bytesPerRow, into: sums)
            for index in 0..<bytesPerRow {
              target[row &* bytesPerRow &+ index] =
                UInt8(clamping: sums[index] >> AxisWeights.precision)
            }
          }
        }
      }
    }
    return Part(samples: samples, bytesPerRow: bytesPerRow, left: kept.lowerBound)
  }

  /// The weighted sum of the source rows of one result, in fixed point.
  private func blendRows(
    _ row: Int, of source: UnsafeBufferPointer<UInt8>, from first: Int, bytesPerRow: Int,
    into sums: UnsafeMutableBufferPointer<Int32>
  ) {
    sums.update(repeating: AxisWeights.half)
    for tap in 0..<rows.counts[row] {
      let weight = rows.weights[row * rows.stride + tap]
      let start = first + tap * bytesPerRow
      let line = UnsafeBufferPointer(rebasing: source[start..<start + sums.count])
      for index in 0..<sums.count { sums[index] &+= Int32(line[index]) &* weight }
    }
  }
}
