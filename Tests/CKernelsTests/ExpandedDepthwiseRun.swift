import ApusIR
import ApusReference
import CKernels

/// The kernel of a 1×1 convolution and the depthwise one after it, and its memory.
struct ExpandedDepthwiseRun: Sendable {
  private(set) var kernel = ExpandedDepthwise()
  let source, destination: GuardedFloats
  private let filters, depthwiseFilters: GuardedFloats
  private let bias, depthwiseBias, rowSums: GuardedFloats?
  /// Where the outputs are, and the blocks they are in.
  private let outputOffsets, blockOffsets: [Int]

  /// - Parameters:
  ///   - second: of the images that the first one makes.
  ///   - channelsLast: of source and destination.
  init(
    _ first: DirectLayer, _ second: DirectLayer, _ vectors: Vectors,
    channelsLast: (Bool, Bool) = (false, false), threads: Int = 1, sums: Bool = false
  ) {
    let (images, shape) = (first.images.shape, second.shape)
    let from = ImageStrides(images, vectors, channelsLast: channelsLast.0)
    let to = ImageStrides(shape, vectors, channelsLast: channelsLast.1)
    let lanes = Int(vectors.rawValue)
    var whole = shape
    if !channelsLast.1 { whole[1] = (whole[1] + lanes - 1) / lanes * lanes }
    outputOffsets = to.offsets(shape, vectors)
    blockOffsets = to.offsets(whole, vectors)
    source = GuardedFloats(
      first.images, at: from.offsets(images, vectors), count: images[0] * from.image)
    destination = GuardedFloats(count: shape[0] * to.image)
    bias = first.bias.map { GuardedFloats($0) }
    depthwiseBias = second.bias.map { GuardedFloats($0) }
    kernel.vectors = vectors
    (kernel.images, kernel.inputs) = (Int32(images[0]), Int32(images[1]))
    (kernel.channels, kernel.threads) = (Int32(shape[1]), Int32(threads))
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    let (filter, convolution) = (second.filters.shape, second.convolution)
    (kernel.filterHeight, kernel.filterWidth) = (Int32(filter[2]), Int32(filter[3]))
    kernel.verticalStride = Int32(convolution.stride.height)
    kernel.horizontalStride = Int32(convolution.stride.width)
    (kernel.top, kernel.left) = (Int32(convolution.padding.top), Int32(convolution.padding.left))
    kernel.bottom = Int32(convolution.padding.bottom)
    kernel.right = Int32(convolution.padding.right)
    (kernel.source, kernel.destination) = (from, to)
    let activation = first.activation?.fused ?? (.none, .nan)
    (kernel.expandedActivation, kernel.expandedParameter) = activation
    (kernel.activation, kernel.parameter) = second.activation?.fused ?? (.none, .nan)
    rowSums = sums ? GuardedFloats(count: kernel.rowSumCount) : nil
    filters = Im2colRun(first, vectors, channelsLast: channelsLast).filters
    let given = GuardedFloats(second.filters)
    depthwiseFilters = GuardedFloats(count: kernel.filterCount)
    kernel.pack(filters: given.start, into: depthwiseFilters.start)
  }

  func run(thread: Int) {
    let scratch = GuardedScratch(sizeInBytes: kernel.scratchSize)
    let filters = ExpandedDepthwiseFilters(
      expanding: filters.start, depthwise: depthwiseFilters.start,
      expandingBias: bias.map { UnsafePointer($0.start) },
      depthwiseBias: depthwiseBias.map { UnsafePointer($0.start) })
    kernel.run(
      source: source.start, filters: filters, destination: destination.start,
      rowSums: rowSums?.start, scratch: scratch.start, thread: Int32(thread))
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

  /// Whether all that is written lies in the outputs, but for zeros that fill whole blocks.
  var isIntact: Bool {
    let values = destination.values
    let beyond = Set(blockOffsets).subtracting(outputOffsets)
    return [source, depthwiseFilters, destination].allSatisfy(\.isIntact)
      && beyond.allSatisfy { values[$0] == 0 }
  }
}
