import ApusIR

/// A convolution with stride 1 as F(t×t, r×r) of Lavin and Gray 2015 (arXiv 1509.09308), or as
/// F(t, r) where filters are a row or a column: the plain twin of the kernel in `CKernels`.
///
/// Y = Aᵀ[Σ (G g Gᵀ) ⊙ (Bᵀ d B)]A, where d are (t+r−1)×(t+r−1) pixels, g a filter, Y t×t outputs and
/// the sum is over input channels. The matrices evaluate polynomials at `points` and infinity and
/// interpolate between them (Toom and Cook); along a side of one pixel they are 1.
public struct WinogradConvolution: Hashable, Sendable {
  public let padding: Padding2D
  private let vertical, horizontal: Transforms

  /// The matrices of one direction.
  private struct Transforms: Hashable, Sendable {
    let taps, tile: Int
    /// Bᵀ, G and Aᵀ.
    let source, filter, output: [[Double]]

    init(_ points: [Double], taps: Int) {
      self.taps = taps
      tile = points.count + 2 - taps
      let others = points.indices.map { i in points.indices.filter { $0 != i }.map { points[$0] } }
      let scales = zip(points, others).map { x, others in others.reduce(1) { $0 * (x - $1) } }
      let last = [Double](repeating: 0, count: taps - 1) + [1]
      source = others.map { polynomial(roots: $0) + [0] } + [polynomial(roots: points)]
      filter = zip(points, scales).map { x, scale in powers(x, taps).map { $0 / scale } } + [last]
      let rows = points.map { [tile] in powers($0, tile) }
      let infinity = powers(0, tile).reversed()
      output = infinity.enumerated().map { power, last in rows.map { $0[power] } + [last] }
    }
  }

  /// - Parameter points: all different, of which a tile of t outputs takes t + r − 2.
  public init(points: [Double], filter: Size2D = Size2D(3), padding: Padding2D) {
    vertical = Transforms(filter.height == 1 ? [] : points, taps: filter.height)
    horizontal = Transforms(filter.width == 1 ? [] : points, taps: filter.width)
    self.padding = padding
  }

  /// G g Gᵀ of a filter, row-major.
  public func transformed(filter values: [Double]) -> [Double] {
    both(vertical.filter, horizontal.filter, values)
  }

  /// The convolution of images `[n, c, h, w]` with filters `[o, c, r, s]`: `[n, o, h′, w′]`.
  public func callAsFunction(_ images: ReferenceTensor, _ filters: ReferenceTensor) -> [Double] {
    let (channels, outputs) = (images.shape[1], filters.shape[0])
    let height = images.shape[2] + padding.top + padding.bottom - vertical.taps + 1
    let width = images.shape[3] + padding.left + padding.right - horizontal.taps + 1
    let area = vertical.taps * horizontal.taps
    let weights = (0..<outputs * channels).map {
      transformed(filter: Array(filters.values[$0 * area..<($0 + 1) * area]))
    }
    var values = [Double](repeating: 0, count: images.shape[0] * outputs * height * width)
    for n in 0..<images.shape[0] {
      for top in stride(from: 0, to: height, by: vertical.tile) {
        for left in stride(from: 0, to: width, by: horizontal.tile) {
          let points = (0..<channels).map {
            both(vertical.source, horizontal.source, patch(images, n, $0, top, left))
          }
          for o in 0..<outputs {
            var sums = [Double](repeating: 0, count: points[0].count)
            for c in 0..<channels {
              for i in sums.indices { sums[i] += weights[o * channels + c][i] * points[c][i] }
            }
            let results = both(vertical.output, horizontal.output, sums)
            for i in 0..<min(vertical.tile, height - top) {
              for j in 0..<min(horizontal.tile, width - left) {
                values[((n * outputs + o) * height + top + i) * width + left + j] =
                  results[i * horizontal.tile + j]
              }
            }
          }
        }
      }
    }
    return values
  }

  /// What the tile whose upper left output is given reads of an image; zeros around the image.
  private func patch(
    _ images: ReferenceTensor, _ n: Int, _ c: Int, _ top: Int, _ left: Int
  ) -> [Double] {
    let width = horizontal.source.count
    return (0..<vertical.source.count * width).map { index in
      let row = top + index / width - padding.top
      let column = left + index % width - padding.left
      let (rows, columns) = (images.shape[2], images.shape[3])
      guard 0 <= row && row < rows && 0 <= column && column < columns else { return 0 }
      return images.values[((n * images.shape[1] + c) * rows + row) * columns + column]
    }
  }
}

/// M x Nᵀ, row-major.
private func both(_ rows: [[Double]], _ columns: [[Double]], _ x: [Double]) -> [Double] {
  let width = columns[0].count
  return rows.flatMap { row in
    columns.map { column in
      x.indices.reduce(0) { $0 + row[$1 / width] * x[$1] * column[$1 % width] }
    }
  }
}

/// The coefficients of Π (x − root), that of the lowest power first.
private func polynomial(roots: [Double]) -> [Double] {
  roots.reduce([1]) { product, root in
    zip([0] + product, product + [0]).map { $0 - root * $1 }
  }
}

/// 1, x, x², …
private func powers(_ x: Double, _ count: Int) -> [Double] {
  (1..<count).reduce(into: [1]) { powers, _ in powers.append(powers[powers.count - 1] * x) }
}
