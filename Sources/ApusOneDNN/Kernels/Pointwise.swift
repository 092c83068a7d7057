import ApusIR
import ApusPlan
import CKernels

/// A 1×1 convolution of channels-last images.
struct PointwiseKernel: ConvolutionKernel {
  let kernel: Pointwise
  let hasBias: Bool
  let accumulates: Bool
  /// The operand that holds a factor for each image and input channel.
  let scale: Int?

  var implementation: String { "pointwise:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var threadScratchSize: Int { kernel.scratchSize }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.run(
      source: memory.floats(0), filters: memory.floats(1), bias: bias(memory),
      scale: scale.flatMap(memory.floats),
      residual: residual(memory), destination: memory.result(), scratch: scratch(memory, thread),
      thread: thread)
  }
}

/// The packing of filters for ``PointwiseKernel``.
struct PointwiseFilters: TeamKernel {
  let kernel: Pointwise

  var implementation: String { "pointwise filters" }

  var threads: Int { Int(kernel.threads) }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.pack(
      filters: memory.floats(0), into: memory.result(), thread: thread, of: kernel.threads)
  }
}

extension OneDNNLibrary {
  /// A resolved 1×1 convolution by the kernel of CKernels; `nil` where that cannot compute it.
  func pointwise(_ convolution: Convolution, _ step: Step) -> Step? {
    var pointwise = step
    pointwise.algorithm = .pointwise
    guard let kernel = self.pointwise(pointwise)?.kernel else { return nil }
    let layout = Layout.native(
      "pointwise_\(kernel.vectors.rawValue)_\(kernel.outputs)x\(kernel.inputs)",
      sizeInBytes: 4 * kernel.filterCount)
    packings[layout] = PointwiseFilters(kernel: kernel)
    pointwise.operands[1].layout = layout
    return pointwise
  }

  /// The kernel of a step whose algorithm it is; `nil` for what it cannot do.
  func pointwise(_ step: Step) -> PointwiseKernel? {
    guard case .op(.convolution(let convolution)) = step.kind, let vectors,
      Self.isPointwise(convolution, filter: step.operands[1].type.shape),
      let (activation, parameter) = fusedActivation(step),
      let source = PixelStrides(step.operands[0], stride: convolution.stride),
      let destination = PixelStrides(step.results[0]), isSmall(step)
    else { return nil }
    let shape = step.results[0].type.shape
    var kernel = Pointwise()
    kernel.vectors = vectors
    kernel.images = Int32(shape[0])
    kernel.inputs = Int32(step.operands[0].type.shape[1])
    kernel.outputs = Int32(shape[1])
    (kernel.height, kernel.width) = (Int32(shape[2]), Int32(shape[3]))
    (kernel.source, kernel.destination) = (source, destination)
    kernel.isScaled = step.isScaled
    (kernel.activation, kernel.parameter) = (activation, parameter)
    kernel.threads = Int32(threads)
    guard kernel.isValid else { return nil }
    return PointwiseKernel(
      kernel: kernel, hasBias: step.hasBias, accumulates: step.accumulates,
      scale: step.isScaled ? step.operands.count - 1 : nil)
  }

  /// Whether a convolution sees one pixel at a time, and all channels of it.
  static func isPointwise(_ convolution: Convolution, filter: Shape) -> Bool {
    convolution.groups == 1 && convolution.padding == Padding2D(0) && filter[2] == 1
      && filter[3] == 1
  }
}
