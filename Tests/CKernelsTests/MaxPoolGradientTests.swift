import ApusIR
import ApusReference
import CKernels
import Testing

@Suite("Gradient of maximum pooling")
struct MaxPoolGradientTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let vectors: Vectors
    let images: Shape
    /// Channels in a block of the images, and in one of the gradient.
    let blocks: (Int, Int)
    let pool: Pool
    let threads: Int

    var testDescription: String {
      "\(images) in blocks of \(blocks), \(pool.kernel), \(threads) threads, \(vectors)"
    }

    static let all: [Row] = Vectors.offered.flatMap { vectors in
      [
        (Shape([2, 21, 9, 8]), (21, 21), 3, 2, 1), ([1, 32, 7, 7], (16, 16), 2, 2, 0),
        ([3, 32, 6, 5], (8, 8), 3, 1, 1), ([2, 16, 8, 9], (16, 8), 3, 2, 0),
        ([2, 48, 5, 5], (48, 16), 5, 3, 2), ([1, 1, 4, 4], (1, 1), 2, 1, 1),
      ].flatMap { (shape: Shape, blocks: (Int, Int), kernel: Int, stride: Int, padding: Int) in
        [1, 3].map { threads in
          Row(
            vectors: vectors, images: shape, blocks: blocks,
            pool: Pool(
              .max, kernel: Size2D(kernel), stride: Size2D(stride), padding: Padding2D(padding)),
            threads: threads)
        }
      }
    }
  }

  @Test("is the reference's, of ties, infinities and NaN too", arguments: Row.all)
  func reference(row: Row) throws {
    let special: [Double] = [.nan, .infinity, -.infinity]
    let type = TensorType(.float32, row.images)
    let images = ReferenceTensor(
      type,
      rounding: (0..<type.elementCount).map { _ in
        Int.random(in: 0..<20) == 0 ? special.randomElement()! : Double(Int.random(in: -2...2))
      })
    let pooled = try Op.pool(row.pool).resultTypes([type])[0]
    let dy = ReferenceTensor(
      pooled, rounding: (0..<pooled.elementCount).map { _ in Double.random(in: -1...1) })
    let op = Op.poolGradient(
      PoolGradient(row.pool, images: Size2D(row.images[2], row.images[3])))
    let expected = op.evaluate([images, dy], resultTypes: [type])[0].values

    let (place, gradientPlace) = (
      ChannelBlocks(row.images, block: row.blocks.0),
      ChannelBlocks(pooled.shape, block: row.blocks.1)
    )
    let kernel = kernel(row, pooled.shape, place, gradientPlace)
    let (source, gradient) = (
      GuardedFloats(place.laidOut(images)), GuardedFloats(gradientPlace.laidOut(dy))
    )
    let result = GuardedFloats(count: type.elementCount)
    for thread in 0..<kernel.threads {
      kernel.run(
        images: source.start, gradient: gradient.start, into: result.start, thread: thread)
    }
    let got = place.rowMajor(result, row.images)
    #expect(result.isIntact)
    #expect(zip(got, expected).allSatisfy { abs(Double($0) - $1) <= 1e-5 })
  }

  private func kernel(
    _ row: Row, _ pooled: Shape, _ images: ChannelBlocks, _ gradient: ChannelBlocks
  ) -> MaxPoolGradient {
    let pool = row.pool
    var kernel = MaxPoolGradient()
    kernel.vectors = row.vectors
    (kernel.count, kernel.channels) = (Int32(row.images[0]), Int32(row.images[1]))
    (kernel.height, kernel.width) = (Int32(row.images[2]), Int32(row.images[3]))
    (kernel.outputHeight, kernel.outputWidth) = (Int32(pooled[2]), Int32(pooled[3]))
    (kernel.windowHeight, kernel.windowWidth) = (
      Int32(pool.kernel.height), Int32(pool.kernel.width)
    )
    (kernel.verticalStride, kernel.horizontalStride) = (
      Int32(pool.stride.height), Int32(pool.stride.width)
    )
    (kernel.top, kernel.left) = (Int32(pool.padding.top), Int32(pool.padding.left))
    (kernel.images, kernel.gradient) = (images, gradient)
    kernel.threads = Int32(row.threads)
    return kernel
  }
}
