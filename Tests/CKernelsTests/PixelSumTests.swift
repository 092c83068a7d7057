import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Testing

@Suite("Sums over pixels")
struct PixelSumTests {
  @Test(
    "of images and of products equal those in float64", arguments: Vectors.offered, [false, true])
  func reference(vectors: Vectors, channelsLast: Bool) throws {
    for shape in [Shape([3, 37, 9, 7]), [2, 32, 1, 2], [1, 3, 5, 5]] {
      for (threads, isProduct) in [(1, false), (2, true), (7, true)] {
        var tensors = RandomTensors(seed: .random(in: 0 ... .max))
        let images = ReferenceTensor(tensors.tensor(shape)).float64
        let factors = ReferenceTensor(tensors.tensor(shape)).float64
        let product =
          isProduct
          ? Op.binary(.multiply).evaluate([images, factors], resultTypes: [images.type])[0]
          : images
        let expected = Op.reduce(Reduce(.sum, axes: [2, 3])).evaluate(
          [product], resultTypes: [TensorType(.float64, [shape[0], shape[1]])])[0]
        var kernel = PixelSum()
        kernel.vectors = vectors
        (kernel.images, kernel.channels) = (Int32(shape[0]), Int32(shape[1]))
        kernel.pixels = shape[2] * shape[3]
        kernel.strides = ImageStrides(shape, vectors, channelsLast: channelsLast)
        kernel.threads = Int32(threads)
        let a = kernel.strides.laidOut(images, vectors)
        let b = kernel.strides.laidOut(factors, vectors)
        let sums = GuardedFloats(count: shape[0] * shape[1])
        for thread in (0..<kernel.threads).shuffled() {
          kernel.run(
            images: a.start, factors: isProduct ? b.start : nil, into: sums.start, thread: thread)
        }
        let isClose = zip(sums.values, expected.values).allSatisfy {
          (Double($0) - $1).magnitude <= 1e-5 * max(1, expected.largest)
        }
        #expect(isClose && sums.isIntact, "\(shape), \(threads) threads")
      }
    }
  }
}
