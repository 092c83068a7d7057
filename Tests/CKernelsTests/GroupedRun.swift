import ApusIR
import ApusReference
import CKernels

/// The kernel of a convolution in groups, and its memory.
struct GroupedRun: Sendable {
  private(set) var kernel = Grouped()
  let source, destination: GuardedFloats
  private let filters: GuardedFloats
  private let bias: GuardedFloats?
  private let outputOffsets: [Int]

  /// - Parameter channelsLast: of source and destination.
  init(
    _ layer: DirectLayer, _ vectors: Vectors, channelsLast: (Bool, Bool) = (false, false),
    threads: Int = 1
  ) {
    let (images, shape, convolution) = (layer.images.shape, layer.shape, layer.convolution)
    kernel.source = ImageStrides(images, vectors, channelsLast: channelsLast.0)
    kernel.destination = ImageStrides(shape, vectors, channelsLast: channelsLast.1)
    outputOffsets = kernel.destination.offsets(shape, vectors)
    source = kernel.source.laidOut(layer.images, vectors)
    destination = GuardedFloats(count: shape.elementCount)
    bias = layer.bias.map { GuardedFloats($0) }
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(images[0]), Int32(images[1]))
    kernel.groupChannels = Int32(layer.filters.shape[1])
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    (kernel.outputHeight, kernel.outputWidth) = (Int32(shape[2]), Int32(shape[3]))
    kernel.stride = Int32(convolution.stride.height)
    (kernel.top, kernel.left) = (Int32(convolution.padding.top), Int32(convolution.padding.left))
    (kernel.activation, kernel.parameter) = layer.activation?.fused ?? (.none, .nan)
    kernel.threads = Int32(threads)
    filters = GuardedFloats(count: kernel.filterCount)
    let given = GuardedFloats(layer.filters)
    kernel.pack(filters: given.start, into: filters.start)
    precondition(given.isIntact)
  }

  func run(thread: Int) {
    let scratch = GuardedScratch(sizeInBytes: kernel.scratchSize)
    kernel.run(
      source: source.start, filters: filters.start, bias: bias?.start,
      destination: destination.start, scratch: scratch.start, thread: Int32(thread))
    scratch.requireIntact()
  }

  func runAll() {
    for thread in (0..<Int(kernel.threads)).shuffled() { run(thread: thread) }
  }

  /// The outputs in row-major order.
  var outputs: [Float] {
    let values = destination.values
    return outputOffsets.map { values[$0] }
  }

  var isIntact: Bool {
    [source, filters, destination, bias].allSatisfy { $0?.isIntact ?? true }
  }
}
