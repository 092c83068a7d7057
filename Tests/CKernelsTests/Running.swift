import ApusIR
import ApusReference
import CKernels

extension Vectors {
  /// What this processor can run; all paths of an AVX-512 processor.
  static var offered: [Vectors] { [.avx2, .avx512].filter { $0.rawValue <= widest.rawValue } }
}

extension ImageStrides {
  /// Row-major.
  init(plain shape: Shape) {
    let (area, width) = (shape[2] * shape[3], shape[3])
    self.init(image: shape[1] * area, block: area, row: width, pixel: 1)
  }

  init(_ shape: Shape, _ vectors: Vectors, channelsLast: Bool) {
    let (channels, area, width) = (shape[1], shape[2] * shape[3], shape[3])
    let block = Int(vectors.rawValue)
    self.init()
    if channelsLast {
      (image, self.block, row, pixel) = (area * channels, block, width * channels, channels)
    } else {
      let blocks = (channels + block - 1) / block
      (image, self.block, row, pixel) = (blocks * area * block, area * block, width * block, block)
    }
  }

  /// The place of each element of a tensor, in its row-major order.
  func offsets(_ shape: Shape, _ vectors: Vectors) -> [Int] {
    let lanes = pixel == 1 ? 1 : Int(vectors.rawValue)
    return (0..<shape.elementCount).map { index in
      let (column, row) = (index % shape[3], index / shape[3] % shape[2])
      let plane = index / (shape[2] * shape[3])
      let (channel, n) = (plane % shape[1], plane / shape[1])
      return n * image + channel / lanes * block + row * self.row + column * pixel
        + channel % lanes
    }
  }

  /// A tensor's images one after the other, zero where no element lies.
  func laidOut(_ tensor: ReferenceTensor, _ vectors: Vectors) -> GuardedFloats {
    CKernelsTests.laidOut(
      tensor, offsets(tensor.shape, vectors), count: tensor.shape[0] * image)
  }

  /// The elements of a tensor in row-major order.
  func rowMajor(_ memory: GuardedFloats, _ shape: Shape, _ vectors: Vectors) -> [Float] {
    offsets(shape, vectors).map { memory.start[$0] }
  }
}

/// A kernel's memory, each part of it between guards.
struct Buffers: Sendable {
  let kernel: Winograd
  let source, filters, destination: GuardedFloats
  let bias, residual: GuardedFloats?
  /// Where the outputs are, and the blocks they are in.
  private let outputOffsets, blockOffsets: [Int]
  private let first: Int

  /// - Parameters:
  ///   - inPlace: the residual is the destination.
  ///   - first: where the first output lies in the destination.
  init(_ layer: Layer, _ kernel: Winograd, inPlace: Bool = false, first: Int = 0) {
    self.kernel = kernel
    self.first = first
    let (strides, vectors) = (kernel.destination, kernel.vectors)
    var whole = layer.shape
    let lanes = Int(vectors.rawValue)
    if strides.pixel == lanes { whole[1] = (whole[1] + lanes - 1) / lanes * lanes }
    outputOffsets = strides.offsets(layer.shape, vectors).map { $0 + first }
    blockOffsets = strides.offsets(whole, vectors).map { $0 + first }
    source = laidOut(
      layer.images, kernel.source.offsets(layer.images.shape, vectors),
      count: layer.images.shape[0] * kernel.source.image)
    let given = GuardedFloats(layer.filters.values.map { Float($0) })
    filters = GuardedFloats(count: kernel.filterCount)
    for share in 0..<3 {
      kernel.transform(filters: given.start, into: filters.start, thread: Int32(share), of: 3)
    }
    bias = layer.bias.map { GuardedFloats($0.values.map { Float($0) }) }
    let count = layer.shape[0] * strides.image
    residual = layer.residual.map { [outputOffsets] in laidOut($0, outputOffsets, count: count) }
    destination = residual.flatMap { inPlace ? $0 : nil } ?? GuardedFloats(count: count)
  }

  func run(thread: Int) {
    let scratch = GuardedScratch(sizeInBytes: kernel.scratchSize)
    kernel.run(
      source: source.start, filters: filters.start, bias: bias?.start,
      residual: residual.map { UnsafePointer($0.start + first) },
      destination: destination.start + first, scratch: scratch.start, thread: Int32(thread))
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

  /// What lies in whole blocks beyond the channels.
  var beyondChannels: [Float] {
    let values = destination.values
    return Set(blockOffsets).subtracting(outputOffsets).map { values[$0] }
  }

  /// What lies outside the blocks that the outputs are in.
  var beyondBlocks: [Float] {
    let values = destination.values
    return Set(values.indices).subtracting(blockOffsets).map { values[$0] }
  }

  var isIntact: Bool {
    [source, filters, destination, bias, residual].allSatisfy { $0?.isIntact ?? true }
  }
}

/// A tensor in a layout; zero where it has no elements.
private func laidOut(_ tensor: ReferenceTensor, _ offsets: [Int], count: Int) -> GuardedFloats {
  var values = [Float](repeating: 0, count: count)
  for (offset, value) in zip(offsets, tensor.values) { values[offset] = Float(value) }
  return GuardedFloats(values)
}
