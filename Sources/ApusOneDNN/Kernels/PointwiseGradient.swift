import ApusIR
import ApusPlan
import CKernels

/// The gradient of 1×1 filters.
struct PointwiseGradientKernel: TeamKernel {
  let kernel: PointwiseGradient

  var implementation: String { "pointwise:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var scratchSizeInBytes: Int { kernel.scratchSize }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.run(
      source: memory.floats(0), gradient: memory.floats(1), filters: memory.result(),
      scratch: memory.scratch, thread: thread)
  }
}

extension OneDNNLibrary {
  /// A resolved gradient of filters by the kernel of CKernels; `nil` where that cannot compute it.
  func pointwise(_ gradient: ConvolutionFilterGradient, _ step: Step) -> Step? {
    var pointwise = step
    pointwise.algorithm = .pointwise
    guard pointwiseGradient(gradient.convolution, pointwise) != nil else { return nil }
    pointwise.results[0].layout = .rowMajor
    return pointwise
  }

  /// The kernel of a gradient's step whose algorithm it is; `nil` for what it cannot do.
  func pointwiseGradient(
    _ convolution: Convolution, _ step: Step
  ) -> PointwiseGradientKernel? {
    let (images, gradient) = (step.operands[0], step.operands[1])
    guard let vectors, Self.isPointwise(convolution, filter: step.results[0].type.shape),
      convolution.stride == Size2D(1), step.results.count == 1,
      let source = ImageStrides(images, vectors), let destination = ImageStrides(gradient, vectors),
      isSmall(images), isSmall(gradient)
    else { return nil }
    let (shape, result) = (images.type.shape, gradient.type.shape)
    var kernel = PointwiseGradient()
    kernel.vectors = vectors
    (kernel.images, kernel.inputs) = (Int32(shape[0]), Int32(shape[1]))
    kernel.outputs = Int32(result[1])
    kernel.pixels = shape[2] * shape[3]
    (kernel.source, kernel.gradient) = (source, destination)
    kernel.threads = Int32(threads)
    return kernel.isValid ? PointwiseGradientKernel(kernel: kernel) : nil
  }
}
