import ApusIR
import ApusPlan
import CKernels

/// The gradient of the filters, and of the bias, of a convolution of each channel by a filter of its
/// own.
struct DepthwiseGradientKernel: TeamKernel {
  let kernel: DepthwiseGradient

  var implementation: String { "depthwise:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var phases: Int { 2 }

  var scratchSizeInBytes: Int { 4 * kernel.scratchCount }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    let scratch = memory.scratch?.assumingMemoryBound(to: Float.self)
    if phase == 0 {
      kernel.sum(
        source: memory.floats(0), gradient: memory.floats(1), scratch: scratch, thread: thread)
    } else {
      kernel.finish(
        scratch: scratch, filters: memory.result(),
        bias: memory.results.count == 2 ? memory.result(1) : nil, thread: thread)
    }
  }
}

extension OneDNNLibrary {
  /// A resolved gradient of filters by the kernel of CKernels; `nil` where that cannot compute it, and
  /// for 3×3 filters, for which the library's is as fast.
  func depthwise(_ gradient: ConvolutionFilterGradient, _ step: Step) -> Step? {
    if step.results[0].type.shape.suffix(2) == [3, 3] { return nil }
    var depthwise = step
    depthwise.algorithm = .depthwise
    guard depthwiseGradient(gradient.convolution, depthwise) != nil else { return nil }
    depthwise.results[0].layout = .rowMajor
    return depthwise
  }

  /// The kernel of a gradient's step whose algorithm it is; `nil` for what it cannot do.
  func depthwiseGradient(
    _ convolution: Convolution, _ step: Step
  ) -> DepthwiseGradientKernel? {
    let (images, gradient) = (step.operands[0], step.operands[1])
    let filters = step.results[0].type.shape
    guard let vectors, Self.isDepthwise(convolution, filter: filters),
      let source = ImageStrides(images, vectors), let destination = ImageStrides(gradient, vectors),
      isSmall(images), isSmall(gradient)
    else { return nil }
    let (shape, result) = (images.type.shape, gradient.type.shape)
    var kernel = DepthwiseGradient()
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(shape[0]), Int32(shape[1]))
    (kernel.height, kernel.width) = (Int32(shape[2]), Int32(shape[3]))
    (kernel.outputHeight, kernel.outputWidth) = (Int32(result[2]), Int32(result[3]))
    (kernel.filterHeight, kernel.filterWidth) = (Int32(filters[2]), Int32(filters[3]))
    kernel.verticalStride = Int32(convolution.stride.height)
    kernel.horizontalStride = Int32(convolution.stride.width)
    (kernel.top, kernel.left) = (Int32(convolution.padding.top), Int32(convolution.padding.left))
    (kernel.source, kernel.gradient) = (source, destination)
    kernel.threads = Int32(threads)
    return kernel.isValid ? DepthwiseGradientKernel(kernel: kernel) : nil
  }
}
