import ApusIR
import ApusReference
import CKernels

/// The kernel of a convolution without groups, and its memory.
struct Im2colRun: Sendable {
  private(set) var kernel = Im2col()
  let source, destination: GuardedFloats
  let filters: GuardedFloats
  private let bias, residual: GuardedFloats?
  /// Where the outputs are, and the blocks they are in.
  private let outputOffsets, blockOffsets: [Int]

  /// - Parameters:
  ///   - channelsLast: of source and destination.
  ///   - plain: the source is row-major.
  ///   - inPlace: the residual is the destination.
  init(
    _ layer: DirectLayer, _ vectors: Vectors, channelsLast: (Bool, Bool) = (false, false),
    plain: Bool = false, threads: Int = 1, inPlace: Bool = false
  ) {
    let (images, shape, convolution) = (layer.images.shape, layer.shape, layer.convolution)
    let (from, to) = (
      plain
        ? ImageStrides(plain: images)
        : ImageStrides(images, vectors, channelsLast: channelsLast.0),
      ImageStrides(shape, vectors, channelsLast: channelsLast.1)
    )
    let lanes = Int(vectors.rawValue)
    var whole = shape
    if !channelsLast.1 { whole[1] = (whole[1] + lanes - 1) / lanes * lanes }
    outputOffsets = to.offsets(shape, vectors)
    blockOffsets = to.offsets(whole, vectors)
    source = GuardedFloats(
      layer.images, at: from.offsets(images, vectors), count: images[0] * from.image)
    let count = shape[0] * to.image
    let offsets = outputOffsets
    residual = layer.residual.map { GuardedFloats($0, at: offsets, count: count) }
    destination = residual.flatMap { inPlace ? $0 : nil } ?? GuardedFloats(count: count)
    bias = layer.bias.map { GuardedFloats($0) }
    kernel.vectors = vectors
    (kernel.images, kernel.inputs) = (Int32(images[0]), Int32(images[1]))
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    kernel.outputs = Int32(shape[1])
    (kernel.outputHeight, kernel.outputWidth) = (Int32(shape[2]), Int32(shape[3]))
    let size = layer.filters.shape
    (kernel.filterHeight, kernel.filterWidth) = (Int32(size[2]), Int32(size[3]))
    kernel.verticalStride = Int32(convolution.stride.height)
    kernel.horizontalStride = Int32(convolution.stride.width)
    kernel.verticalDilation = Int32(convolution.dilation.height)
    kernel.horizontalDilation = Int32(convolution.dilation.width)
    (kernel.top, kernel.left) = (Int32(convolution.padding.top), Int32(convolution.padding.left))
    (kernel.source, kernel.destination) = (from, to)
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
      source: source.start, filters: filters.start, bias: bias?.start,
      residual: residual.map { UnsafePointer($0.start) }, destination: destination.start,
      scratch: scratch.start, thread: Int32(thread))
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

  /// Whether all that is written lies in the outputs, but for zeros that fill whole blocks.
  var isIntact: Bool {
    let values = destination.values
    let beyond = Set(blockOffsets).subtracting(outputOffsets)
    return [source, filters, destination, bias, residual].allSatisfy { $0?.isIntact ?? true }
      && beyond.allSatisfy { values[$0] == 0 }
  }
}

extension GuardedFloats {
  /// A tensor in a layout; zero where it has no elements.
  convenience init(_ tensor: ReferenceTensor, at offsets: [Int], count: Int) {
    var values = [Float](repeating: 0, count: count)
    for (offset, value) in zip(offsets, tensor.values) { values[offset] = Float(value) }
    self.init(values)
  }
}
