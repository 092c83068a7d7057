import ApusIR

/// A convolution by 3×3 filters with stride 1 as F(t×t, 3×3) of Lavin and Gray 2015
/// (arXiv 1509.09308): the plain twin of the kernel in `CKernels`.
///
/// Y = Aᵀ[Σ (G g Gᵀ) ⊙ (Bᵀ d B)]A, where d are (t+2)×(t+2) pixels, g a filter, Y t×t outputs and the
/// sum is over input channels. The matrices evaluate polynomials at `points` and infinity and
/// interpolate between them (Toom and Cook).
public struct WinogradConvolution: Hashable, Sendable {
  public let tile: Int
  public let padding: Padding2D
  /// Bᵀ, G and Aᵀ.
  private let source, filter, output: [[Double]]

  /// - Parameter points: all different, one more than a tile's side.
  public init(points: [Double], padding: Padding2D) {
    tile = points.count - 1
    self.padding = padding
    let others = points.indices.map { i in points.indices.filter { $0 != i }.map { points[$0] } }
    let scales = zip(points, others).map { x, others in others.reduce(1) { $0 * (x - $1) } }
    source = others.map { polynomial(roots: $0) + [0] } + [polynomial(roots: points)]
    filter = zip(points, scales).map { x, scale in powers(x, 3).map { $0 / scale } } + [[0, 0, 1]]
    let rows = points.map { powers($0, points.count - 1) }
    let infinity = powers(0, points.count - 1).reversed()
    output = infinity.enumerated().map { power, last in rows.map { $0[power] } + [last] }
  }

  /// G g Gᵀ of a 3×3 filter, row-major.
  public func transformed(filter values: [Double]) -> [Double] { both(filter, values) }

  /// The convolution of images `[n, c, h, w]` with filters `[o, c, 3, 3]`: `[n, o, h′, w′]`.
  public func callAsFunction(_ images: ReferenceTensor, _ filters: ReferenceTensor) -> [Double] {
    let (channels, outputs) = (images.shape[1], filters.shape[0])
    let height = images.shape[2] + padding.top + padding.bottom - 2
    let width = images.shape[3] + padding.left + padding.right - 2
    let weights = (0..<outputs * channels).map {
      transformed(filter: Array(filters.values[$0 * 9..<$0 * 9 + 9]))
    }
    var values = [Double](repeating: 0, count: images.shape[0] * outputs * height * width)
    for n in 0..<images.shape[0] {
      for top in stride(from: 0, to: height, by: tile) {
        for left in stride(from: 0, to: width, by: tile) {
          let points = (0..<channels).map { both(source, patch(images, n, $0, top, left)) }
          for o in 0..<outputs {
            var sums = [Double](repeating: 0, count: (tile + 2) * (tile + 2))
            for c in 0..<channels {
              for i in sums.indices { sums[i] += weights[o * channels + c][i] * points[c][i] }
            }
            let results = both(output, sums)
            for i in 0..<min(tile, height - top) {
              for j in 0..<min(tile, width - left) {
                values[((n * outputs + o) * height + top + i) * width + left + j] =
                  results[i * tile + j]
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
    let (height, width) = (images.shape[2], images.shape[3])
    return (0..<(tile + 2) * (tile + 2)).map { index in
      let row = top + index / (tile + 2) - padding.top
      let column = left + index % (tile + 2) - padding.left
      guard 0 <= row && row < height && 0 <= column && column < width else { return 0 }
      return images.values[((n * images.shape[1] + c) * height + row) * width + column]
    }
  }
}

/// M x Mᵀ of a square x, row-major.
private func both(_ matrix: [[Double]], _ x: [Double]) -> [Double] {
  let side = matrix[0].count
  return matrix.flatMap { left in
    matrix.map { right in
      x.indices.reduce(0) { $0 + left[$1 / side] * x[$1] * right[$1 % side] }
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
