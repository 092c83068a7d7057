import ApusIR
import CKernels

/// A depthwise convolution's kernel and its memory.
struct DepthwiseRun: Sendable {
  private(set) var kernel = Depthwise()
  let source, destination: PixelImages
  private let filters: GuardedFloats
  private let bias, rowSums: GuardedFloats?

  init(
    _ layer: DirectLayer, _ vectors: Vectors, threads: Int = 1,
    sourceGaps: (Int, Int, Int) = (0, 0, 0), gaps: (Int, Int, Int) = (0, 0, 0),
    sums: Bool = false
  ) {
    source = PixelImages(layer.images, gaps: sourceGaps)
    destination = PixelImages(layer.shape, gaps: gaps)
    bias = layer.bias.map { GuardedFloats($0) }
    let (images, filter) = (layer.images.shape, layer.filters.shape)
    let (padding, stride) = (layer.convolution.padding, layer.convolution.stride)
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(images[0]), Int32(images[1]))
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    (kernel.filterHeight, kernel.filterWidth) = (Int32(filter[2]), Int32(filter[3]))
    kernel.verticalStride = Int32(stride.height)
    kernel.horizontalStride = Int32(stride.width)
    (kernel.top, kernel.left) = (Int32(padding.top), Int32(padding.left))
    (kernel.bottom, kernel.right) = (Int32(padding.bottom), Int32(padding.right))
    (kernel.source, kernel.destination) = (source.strides, destination.strides)
    (kernel.activation, kernel.parameter) = layer.activation?.fused ?? (.none, .nan)
    kernel.threads = Int32(threads)
    rowSums = sums ? GuardedFloats(count: kernel.rowSumCount) : nil
    let given = GuardedFloats(layer.filters)
    filters = GuardedFloats(count: kernel.filterCount)
    kernel.pack(filters: given.start, into: filters.start)
  }

  func run(thread: Int) {
    kernel.run(
      source: source.memory.start, filters: filters.start, bias: bias?.start,
      destination: destination.memory.start, rowSums: rowSums?.start, thread: Int32(thread))
  }

  func runAll() {
    for thread in (0..<Int(kernel.threads)).shuffled() { run(thread: thread) }
  }

  /// `[n, c]`, computed in `shares` shares.
  func means(shares: Int = 1) -> [Float] {
    let means = GuardedFloats(count: Int(kernel.images * kernel.channels))
    guard let rowSums else { return [] }
    for share in 0..<shares {
      kernel.means(
        rowSums: rowSums.start, into: means.start, thread: Int32(share), of: Int32(shares))
    }
    precondition(means.isIntact && rowSums.isIntact, "written beside the sums")
    return means.values
  }

  var isIntact: Bool { destination.isIntact && filters.isIntact }
}
