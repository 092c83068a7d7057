import ApusIR
import ApusPlan
import CKernels

/// The sum over the pixels of images, or of the product of two.
struct PixelSumKernel: TeamKernel {
  let kernel: PixelSum

  var implementation: String { "pixel sum:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.run(
      images: memory.floats(0), factors: memory.operands.count == 2 ? memory.floats(1) : nil,
      into: memory.result(), thread: thread)
  }
}

extension OneDNNLibrary {
  func sumsPixels(of images: Operand) -> Bool { pixelSum(images) != nil }

  /// The kernel of a step; `nil` for what it cannot do.
  func pixelSum(_ reduce: Reduce, _ step: Step) -> PixelSumKernel? {
    guard reduce.isPixelSum else { return nil }
    return pixelSum(step.operands[0])
  }

  private func pixelSum(_ images: Operand) -> PixelSumKernel? {
    let shape = images.type.shape
    guard let vectors, images.type.dtype == .float32, shape.rank == 4, isSmall(images),
      let strides = ImageStrides(images, vectors)
    else { return nil }
    var kernel = PixelSum()
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(shape[0]), Int32(shape[1]))
    kernel.pixels = shape[2] * shape[3]
    kernel.strides = strides
    kernel.threads = Int32(threads)
    return PixelSumKernel(kernel: kernel)
  }
}
