import ApusIR
import ApusPlan
import CKernels

/// A convolution of channels-last images, each channel by a filter of its own; its second result, if
/// there is one, is the mean of each channel.
struct DepthwiseKernel: TeamKernel {
  let kernel: Depthwise
  let hasBias: Bool
  let averages: Bool

  var implementation: String { "depthwise:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var phases: Int { averages ? 2 : 1 }

  /// The sum of each row, for all threads to see.
  var scratchSizeInBytes: Int { averages ? 4 * kernel.rowSumCount : 0 }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    let rowSums = averages ? memory.scratch?.assumingMemoryBound(to: Float.self) : nil
    if phase == 0 {
      kernel.run(
        source: memory.floats(0), filters: memory.floats(1),
        bias: hasBias ? memory.floats(2) : nil, destination: memory.result(), rowSums: rowSums,
        thread: thread)
    } else {
      kernel.means(rowSums: rowSums, into: memory.result(1), thread: thread, of: kernel.threads)
    }
  }
}

/// The packing of filters for ``DepthwiseKernel``.
struct DepthwiseFilters: TeamKernel {
  let kernel: Depthwise

  var implementation: String { "depthwise filters" }

  var threads: Int { 1 }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.pack(filters: memory.floats(0), into: memory.result())
  }
}

extension OneDNNLibrary {
  /// A resolved depthwise convolution by the kernel of CKernels; `nil` where that cannot compute it.
  func depthwise(_ convolution: Convolution, _ step: Step) -> Step? {
    var depthwise = step
    depthwise.algorithm = .depthwise
    guard let kernel = self.depthwise(depthwise)?.kernel else { return nil }
    let layout = Layout.native(
      "depthwise_\(kernel.filterHeight)x\(kernel.filterWidth)x\(kernel.channels)",
      sizeInBytes: 4 * kernel.filterCount)
    packings[layout] = DepthwiseFilters(kernel: kernel)
    depthwise.operands[1].layout = layout
    return depthwise
  }

  /// The kernel of a step whose algorithm it is; `nil` for what it cannot do.
  func depthwise(_ step: Step) -> DepthwiseKernel? {
    guard case .op(.convolution(let convolution)) = step.kind, let vectors,
      Self.isDepthwise(convolution, filter: step.operands[1].type.shape), !step.accumulates,
      let (activation, parameter) = fusedActivation(step),
      let source = PixelStrides(step.operands[0]),
      let destination = PixelStrides(step.results[0]), isSmall(step)
    else { return nil }
    let (images, filter) = (step.operands[0].type.shape, step.operands[1].type.shape)
    let (stride, padding) = (convolution.stride, convolution.padding)
    var kernel = Depthwise()
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(images[0]), Int32(images[1]))
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    (kernel.filterHeight, kernel.filterWidth) = (Int32(filter[2]), Int32(filter[3]))
    (kernel.verticalStride, kernel.horizontalStride) = (Int32(stride.height), Int32(stride.width))
    (kernel.top, kernel.left) = (Int32(padding.top), Int32(padding.left))
    (kernel.bottom, kernel.right) = (Int32(padding.bottom), Int32(padding.right))
    (kernel.source, kernel.destination) = (source, destination)
    (kernel.activation, kernel.parameter) = (activation, parameter)
    kernel.threads = Int32(threads)
    guard kernel.isValid else { return nil }
    return DepthwiseKernel(
      kernel: kernel, hasBias: step.hasBias, averages: step.results.count == 2)
  }

  /// Whether each channel has one filter of its own.
  static func isDepthwise(_ convolution: Convolution, filter: Shape) -> Bool {
    convolution.groups > 1 && convolution.groups == filter[0] && filter[1] == 1
      && convolution.dilation == Size2D(1)
  }
}
