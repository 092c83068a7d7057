import ApusIR
import ApusPlan
import CKernels

/// The gradient of a maximum over windows of images with neighbouring channels.
struct MaxPoolGradientKernel: TeamKernel {
  let kernel: MaxPoolGradient

  var implementation: String { "maximum:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.run(
      images: memory.floats(0), gradient: memory.floats(1), into: memory.result(), thread: thread)
  }
}

extension OneDNNLibrary {
  /// The kernel of the step; `nil` for averages, and on processors without vectors.
  func maxPoolGradient(_ gradient: PoolGradient, _ step: Step) -> MaxPoolGradientKernel? {
    guard gradient.readsImages,
      hasKernel(for: .poolGradient(gradient), on: step.operands.map(\.type)),
      let vectors = Vectors.effective, let images = ChannelBlocks(step.operands[0]),
      let pooled = ChannelBlocks(step.operands[1]), isSmall(step)
    else { return nil }
    let (shape, result) = (step.operands[0].type.shape, step.operands[1].type.shape)
    let pool = gradient.pool
    var kernel = MaxPoolGradient()
    kernel.vectors = vectors
    (kernel.count, kernel.channels) = (Int32(shape[0]), Int32(shape[1]))
    (kernel.height, kernel.width) = (Int32(shape[2]), Int32(shape[3]))
    (kernel.outputHeight, kernel.outputWidth) = (Int32(result[2]), Int32(result[3]))
    (kernel.windowHeight, kernel.windowWidth) = (
      Int32(pool.kernel.height), Int32(pool.kernel.width)
    )
    (kernel.verticalStride, kernel.horizontalStride) = (
      Int32(pool.stride.height), Int32(pool.stride.width)
    )
    (kernel.top, kernel.left) = (Int32(pool.padding.top), Int32(pool.padding.left))
    (kernel.images, kernel.gradient) = (images, pooled)
    kernel.threads = Int32(threads)
    return MaxPoolGradientKernel(kernel: kernel)
  }
}
