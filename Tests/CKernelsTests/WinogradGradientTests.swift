import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Testing

@Suite("Winograd gradients")
struct WinogradGradientTests {
  /// Images, outputs, and padding; tiles that end in and beyond the image, channels that do not fill
  /// a vector, sums that fill the caches and sums that do not.
  private static let layers: [(images: Shape, outputs: Int, padding: Padding2D)] = [
    ([2, 16, 8, 8], 16, Padding2D(1)),
    ([3, 21, 9, 7], 37, Padding2D(top: 0, left: 1, bottom: 2, right: 1)),
    ([1, 3, 4, 3], 1, Padding2D(0)), ([2, 64, 17, 15], 48, Padding2D(1)),
    ([1, 130, 10, 6], 161, Padding2D(2)),
  ]

  private func reference(_ op: Op, _ operands: [ReferenceTensor]) throws -> ReferenceTensor {
    op.evaluate(operands, resultTypes: try op.resultTypes(operands.map(\.type)))[0]
  }

  private func expectClose(
    _ values: [Float], _ expected: [Double], _ comment: Comment
  ) {
    let largest = expected.reduce(0) { max($0, $1.magnitude) }
    let errors = zip(values, expected).map { (Double($0) - $1).magnitude / largest }
    #expect(values.count == expected.count && errors.allSatisfy { $0 <= 1e-5 }, comment)
  }

  @Test(
    "of filters and bias equal direct ones in float64", arguments: Vectors.offered, [false, true])
  func filters(vectors: Vectors, channelsLast: Bool) throws {
    for (images, outputs, padding) in Self.layers {
      for threads in [1, 2, 5] {
        let seed = UInt64.random(in: 0 ... .max)
        let layer = Layer.random(images, outputs: outputs, padding, seed: seed)
        var tensors = RandomTensors(seed: seed &+ 1)
        let gradient = ReferenceTensor(tensors.tensor(layer.shape)).float64
        let op = ConvolutionFilterGradient(Convolution(padding: padding), kernel: Size2D(3))
        let expected = try reference(
          .convolutionFilterGradient(op), [layer.images, gradient])
        let sum = try reference(.reduce(Reduce(.sum, axes: [0, 2, 3])), [gradient])
        let kernel = layer.kernel(vectors, tile: 4, channelsLast: channelsLast, threads: threads)
        #expect(kernel.isValidGradient)
        let filters = GuardedFloats(count: layer.filters.values.count)
        let bias = GuardedFloats(count: outputs)
        let scratch = GuardedScratch(sizeInBytes: kernel.gradientScratchSize)
        let source = kernel.source.laidOut(layer.images, vectors)
        let gradients = kernel.destination.laidOut(gradient, vectors)
        for phase in 0..<kernel.gradientPhases {
          for thread in (0..<kernel.threads).shuffled() {
            kernel.gradient(
              source: source.start, gradient: gradients.start, filters: filters.start,
              bias: bias.start, scratch: scratch.start, phase: phase, thread: thread)
          }
        }
        scratch.requireIntact()
        let comment: Comment = "\(images) → \(outputs), \(threads) threads, seed \(seed)"
        expectClose(filters.values, expected.values, comment)
        expectClose(bias.values, sum.values, comment)
        #expect(filters.isIntact && bias.isIntact, comment)
      }
    }
  }

  @Test("of images equal direct ones in float64", arguments: Vectors.offered, [2, 4])
  func images(vectors: Vectors, tile: Int) throws {
    for (images, outputs, padding) in Self.layers {
      let seed = UInt64.random(in: 0 ... .max)
      let layer = Layer.random(images, outputs: outputs, padding, seed: seed)
      var tensors = RandomTensors(seed: seed &+ 1)
      let gradient = ReferenceTensor(tensors.tensor(layer.shape)).float64
      let op = ConvolutionInputGradient(
        Convolution(padding: padding), images: Size2D(images[2], images[3]))
      let expected = try reference(
        .convolutionInputGradient(op), [gradient, layer.filters])
      // Its filters are not read: the kernel is given those of the convolution.
      let turned = Layer(
        padding: Padding2D(
          top: 2 - padding.top, left: 2 - padding.left, bottom: 2 - padding.bottom,
          right: 2 - padding.right),
        images: gradient,
        filters: ReferenceTensor(
          TensorType(.float64, [images[1], outputs, 3, 3]), rounding: layer.filters.values))
      var kernel = turned.kernel(vectors, tile: tile)
      kernel.isTransposed = true
      let buffers = Buffers(turned, kernel)
      buffers.runAll()
      expectClose(buffers.outputs, expected.values, "\(images) → \(outputs), seed \(seed)")
    }
  }

  @Test("refuse what they cannot compute")
  func refusals() {
    let layer = Layer.random([1, 3, 5, 5], outputs: 4, seed: 1)
    var kernel = layer.kernel(.widest, tile: 2)
    #expect(!kernel.isValidGradient)
    kernel.tile = 4
    kernel.width = 0
    #expect(!kernel.isValidGradient)
    let line = Layer.random([1, 3, 5, 5], outputs: 4, filter: Size2D(1, 5), seed: 1)
    #expect(!line.kernel(.widest, tile: 4).isValidGradient)
  }
}
