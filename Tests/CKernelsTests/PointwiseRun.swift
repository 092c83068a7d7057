import ApusIR
import CKernels

/// A 1×1 convolution's kernel and its memory.
struct PointwiseRun: Sendable {
  private(set) var kernel = Pointwise()
  let source, destination: PixelImages
  private let filters: GuardedFloats
  private let bias, scale: GuardedFloats?
  private let residual: PixelImages?

  /// - Parameters:
  ///   - inPlace: the residual is the destination.
  init(
    _ layer: DirectLayer, _ vectors: Vectors, threads: Int = 1,
    sourceGaps: (Int, Int, Int) = (0, 0, 0), gaps: (Int, Int, Int) = (0, 0, 0),
    inPlace: Bool = false
  ) {
    let shape = layer.shape
    source = PixelImages(layer.images, gaps: sourceGaps)
    destination = PixelImages(shape, gaps: gaps)
    if let added = layer.residual, inPlace { destination.write(added) }
    residual = inPlace ? destination : layer.residual.map { PixelImages($0, gaps: gaps) }
    bias = layer.bias.map { GuardedFloats($0) }
    scale = layer.scale.map { GuardedFloats($0) }
    kernel.vectors = vectors
    kernel.images = Int32(shape[0])
    kernel.inputs = Int32(layer.images.shape[1])
    kernel.outputs = Int32(shape[1])
    (kernel.height, kernel.width) = (Int32(shape[2]), Int32(shape[3]))
    kernel.source = source.strides
    kernel.source.row *= layer.convolution.stride.height
    kernel.source.pixel *= layer.convolution.stride.width
    kernel.destination = destination.strides
    kernel.isScaled = layer.scale != nil
    (kernel.activation, kernel.parameter) = layer.activation?.fused ?? (.none, .nan)
    kernel.threads = Int32(threads)
    let given = GuardedFloats(layer.filters)
    filters = GuardedFloats(count: kernel.filterCount)
    for share in 0..<3 {
      kernel.pack(filters: given.start, into: filters.start, thread: Int32(share), of: 3)
    }
  }

  func run(thread: Int) {
    let scratch = GuardedScratch(sizeInBytes: kernel.scratchSize)
    kernel.run(
      source: source.memory.start, filters: filters.start, bias: bias?.start, scale: scale?.start,
      residual: residual.map { UnsafePointer($0.memory.start) },
      destination: destination.memory.start, scratch: scratch.start, thread: Int32(thread))
    scratch.requireIntact()
  }

  func runAll() {
    for thread in (0..<Int(kernel.threads)).shuffled() { run(thread: thread) }
  }

  var isIntact: Bool { destination.isIntact && filters.isIntact }
}
