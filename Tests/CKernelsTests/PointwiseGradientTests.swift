import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Testing

@Suite("Gradients of 1×1 filters")
struct PointwiseGradientTests {
  @Test("equal direct ones in float64", arguments: Vectors.offered)
  func reference(vectors: Vectors) throws {
    // Channels that fill blocks and panels and that do not, images that are joined and that are cut.
    let rows: [(images: Shape, outputs: Int)] = [
      ([9, 32, 7, 7], 64), ([3, 21, 5, 3], 37), ([2, 80, 17, 19], 16), ([1, 3, 1, 1], 50),
    ]
    for (images, outputs) in rows {
      for threads in [1, 2, 7] {
        let layer = DirectLayer(
          images: images, filters: [outputs, images[1], 1, 1], seed: .random(in: 0 ... .max))
        var tensors = RandomTensors(seed: .random(in: 0 ... .max))
        let dy = ReferenceTensor(tensors.tensor(layer.shape)).float64
        let op = ConvolutionFilterGradient(Convolution(), kernel: Size2D(1))
        let expected = Op.convolutionFilterGradient(op).evaluate(
          [layer.images, dy], resultTypes: [layer.filters.type])[0]
        var kernel = PointwiseGradient()
        kernel.vectors = vectors
        (kernel.images, kernel.inputs) = (Int32(images[0]), Int32(images[1]))
        kernel.outputs = Int32(outputs)
        kernel.pixels = images[2] * images[3]
        kernel.source = ImageStrides(images, vectors, channelsLast: false)
        kernel.gradient = ImageStrides(layer.shape, vectors, channelsLast: false)
        kernel.threads = Int32(threads)
        #expect(kernel.isValid)
        let source = kernel.source.laidOut(layer.images, vectors)
        let gradient = kernel.gradient.laidOut(dy, vectors)
        let filters = GuardedFloats(count: outputs * images[1])
        let scratch = GuardedScratch(sizeInBytes: kernel.scratchSize)
        for thread in (0..<kernel.threads).shuffled() {
          kernel.run(
            source: source.start, gradient: gradient.start, filters: filters.start,
            scratch: scratch.start, thread: thread)
        }
        scratch.requireIntact()
        let isClose = zip(filters.values, expected.values).allSatisfy {
          (Double($0) - $1).magnitude <= 1e-5 * max(1, expected.largest)
        }
        #expect(isClose && filters.isIntact, "\(images) → \(outputs), \(threads) threads")
        kernel.source.pixel += 1
        #expect(!kernel.isValid)
      }
    }
  }
}
