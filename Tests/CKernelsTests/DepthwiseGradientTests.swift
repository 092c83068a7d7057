import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Testing

@Suite("Gradients of depthwise filters")
struct DepthwiseGradientTests {
  /// Images, kernel, stride and padding: windows that are wider than the image, that leave columns
  /// out, and that see nothing of it.
  private static let rows: [(images: Shape, kernel: Size2D, stride: Size2D, padding: Padding2D)] = [
    ([2, 32, 9, 11], Size2D(5), Size2D(1), Padding2D(2)),
    ([3, 21, 14, 13], Size2D(5), Size2D(2), Padding2D(top: 1, left: 1, bottom: 2, right: 2)),
    ([1, 48, 8, 7], Size2D(3), Size2D(2), Padding2D(1)),
    ([2, 16, 3, 2], Size2D(7), Size2D(1), Padding2D(3)),
    ([1, 5, 6, 9], Size2D(2, 4), Size2D(3, 1), Padding2D(top: 0, left: 3, bottom: 1, right: 4)),
    ([1, 17, 4, 1], Size2D(1, 6), Size2D(1), Padding2D(top: 0, left: 5, bottom: 0, right: 0)),
  ]

  private func evaluate(_ op: Op, _ operands: [ReferenceTensor]) throws -> ReferenceTensor {
    op.evaluate(operands, resultTypes: try op.resultTypes(operands.map(\.type)))[0]
  }

  @Test(
    "and of biases equal direct ones in float64", arguments: Vectors.offered, [false, true])
  func reference(vectors: Vectors, channelsLast: Bool) throws {
    for (images, size, stride, padding) in Self.rows {
      for threads in [1, 2, 7] {
        let channels = images[1]
        let convolution = Convolution(stride: stride, padding: padding, groups: channels)
        let layer = DirectLayer(
          convolution, images: images, filters: [channels, 1, size.height, size.width],
          seed: .random(in: 0 ... .max))
        var tensors = RandomTensors(seed: .random(in: 0 ... .max))
        let dy = ReferenceTensor(tensors.tensor(layer.shape)).float64
        let op = ConvolutionFilterGradient(convolution, kernel: size)
        let expected = try evaluate(.convolutionFilterGradient(op), [layer.images, dy])
        let sum = try evaluate(.reduce(Reduce(.sum, axes: [0, 2, 3])), [dy])
        let kernel = kernel(layer, vectors, channelsLast: channelsLast, threads: threads)
        #expect(kernel.isValid)
        let source = kernel.source.laidOut(layer.images, vectors)
        let gradient = kernel.gradient.laidOut(dy, vectors)
        let scratch = GuardedFloats(count: kernel.scratchCount)
        let filters = GuardedFloats(count: expected.values.count)
        let bias = GuardedFloats(count: channels)
        for thread in (0..<kernel.threads).shuffled() {
          kernel.sum(
            source: source.start, gradient: gradient.start, scratch: scratch.start, thread: thread)
        }
        for thread in (0..<kernel.threads).shuffled() {
          kernel.finish(
            scratch: scratch.start, filters: filters.start, bias: bias.start, thread: thread)
        }
        for (values, expected) in [(filters.values, expected), (bias.values, sum)] {
          let isClose = zip(values, expected.values).allSatisfy {
            (Double($0) - $1).magnitude <= 1e-5 * max(1, expected.largest)
          }
          #expect(isClose, "\(images), \(size), \(threads) threads")
        }
        #expect(scratch.isIntact && filters.isIntact && bias.isIntact)
      }
    }
  }

  private func kernel(
    _ layer: DirectLayer, _ vectors: Vectors, channelsLast: Bool, threads: Int
  ) -> DepthwiseGradient {
    let (images, filters, result) = (layer.images.shape, layer.filters.shape, layer.shape)
    let (stride, padding) = (layer.convolution.stride, layer.convolution.padding)
    var kernel = DepthwiseGradient()
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(images[0]), Int32(images[1]))
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    (kernel.outputHeight, kernel.outputWidth) = (Int32(result[2]), Int32(result[3]))
    (kernel.filterHeight, kernel.filterWidth) = (Int32(filters[2]), Int32(filters[3]))
    (kernel.verticalStride, kernel.horizontalStride) = (Int32(stride.height), Int32(stride.width))
    (kernel.top, kernel.left) = (Int32(padding.top), Int32(padding.left))
    kernel.source = ImageStrides(images, vectors, channelsLast: channelsLast)
    kernel.gradient = ImageStrides(result, vectors, channelsLast: channelsLast)
    kernel.threads = Int32(threads)
    return kernel
  }
}
