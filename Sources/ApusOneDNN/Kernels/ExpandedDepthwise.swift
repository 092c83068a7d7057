import ApusIR
import ApusPlan
import CKernels

/// A 1×1 convolution and the depthwise one that reads its result; its second result, if there is
/// one, is the mean of each channel.
struct ExpandedDepthwiseKernel: TeamKernel {
  let kernel: ExpandedDepthwise
  /// Which operands are the biases and the second filters.
  let expandingBias, depthwiseBias: Int?
  let depthwiseFilter: Int
  let averages: Bool

  var implementation: String { "expand:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var phases: Int { averages ? 2 : 1 }

  /// The sum of each row, for all threads to see, in whole cache lines.
  private var sumsSize: Int { averages ? (4 * kernel.rowSumCount + 63) / 64 * 64 : 0 }

  private var threadScratchSize: Int { (kernel.scratchSize + 63) / 64 * 64 }

  var scratchSizeInBytes: Int { sumsSize + threads * threadScratchSize }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    let rowSums = averages ? memory.scratch?.assumingMemoryBound(to: Float.self) : nil
    if phase == 1 {
      kernel.means(rowSums: rowSums, into: memory.result(1), thread: thread, of: kernel.threads)
      return
    }
    let filters = ExpandedDepthwiseFilters(
      expanding: memory.floats(1), depthwise: memory.floats(depthwiseFilter),
      expandingBias: expandingBias.flatMap { memory.floats($0) },
      depthwiseBias: depthwiseBias.flatMap { memory.floats($0) })
    kernel.run(
      source: memory.floats(0), filters: filters, destination: memory.result(), rowSums: rowSums,
      scratch: memory.scratch.map { $0 + sumsSize + Int(thread) * threadScratchSize },
      thread: thread)
  }
}

/// The packing of depthwise filters for ``ExpandedDepthwiseKernel``.
struct ExpandedDepthwisePacking: TeamKernel {
  let kernel: ExpandedDepthwise

  var implementation: String { "depthwise filters in blocks" }

  var threads: Int { 1 }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.pack(filters: memory.floats(0), into: memory.result())
  }
}

extension OneDNNLibrary {
  /// The step of both convolutions with the layouts of their filters; `nil` where the kernel of
  /// CKernels cannot compute it.
  func expandedDepthwise(_ step: Step) -> Step? {
    guard let kernel = expandedDepthwiseKernel(step)?.kernel, let depthwise = step.depthwise
    else { return nil }
    var step = step
    step.operands[1].layout = packed(expandingFilters(kernel))
    let layout = Layout.native(
      "depthwise_\(kernel.vectors.rawValue)_\(kernel.filterHeight)x\(kernel.filterWidth)"
        + "x\(kernel.channels)",
      sizeInBytes: 4 * kernel.filterCount)
    packings[layout] = ExpandedDepthwisePacking(kernel: kernel)
    step.operands[depthwise.filter].layout = layout
    return step
  }

  /// The 1×1 convolution alone, whose filters are packed as for the kernel that gathers.
  private func expandingFilters(_ kernel: ExpandedDepthwise) -> Im2col {
    var im2col = Im2col()
    im2col.vectors = kernel.vectors
    (im2col.images, im2col.inputs) = (kernel.images, kernel.inputs)
    im2col.outputs = kernel.channels
    (im2col.height, im2col.width) = (kernel.height, kernel.width)
    (im2col.outputHeight, im2col.outputWidth) = (kernel.height, kernel.width)
    (im2col.filterHeight, im2col.filterWidth) = (1, 1)
    (im2col.verticalStride, im2col.horizontalStride) = (1, 1)
    (im2col.verticalDilation, im2col.horizontalDilation) = (1, 1)
    im2col.source = kernel.source
    im2col.threads = kernel.threads
    return im2col
  }

  /// The kernel of a step with a depthwise convolution; `nil` for what it cannot do.
  func expandedDepthwiseKernel(_ step: Step) -> ExpandedDepthwiseKernel? {
    guard case .op(.convolution(let convolution)) = step.kind, let vectors,
      let depthwise = step.depthwise, isSmall(step), !step.accumulates, !step.isScaled,
      step.operands.allSatisfy({ $0.type.dtype == .float32 }),
      Self.isPointwise(convolution, filter: step.operands[1].type.shape),
      convolution.stride == Size2D(1),
      Self.isDepthwise(
        depthwise.convolution, filter: step.operands[depthwise.filter].type.shape),
      let activations = expandedActivations(step),
      let source = ImageStrides(step.operands[0], vectors),
      let destination = ImageStrides(step.results[0], vectors)
    else { return nil }
    var kernel = ExpandedDepthwise()
    kernel.vectors = vectors
    kernel.setShapes(step.operands[0].type.shape, step.operands[depthwise.filter].type.shape)
    kernel.setWindow(depthwise.convolution)
    (kernel.source, kernel.destination) = (source, destination)
    (kernel.expandedActivation, kernel.expandedParameter) = activations.first
    (kernel.activation, kernel.parameter) = activations.second
    kernel.threads = Int32(threads)
    let averages = step.results.count == 2
    guard kernel.isValid, kernel.channels % vectors.rawValue == 0 || !averages else { return nil }
    return ExpandedDepthwiseKernel(
      kernel: kernel, expandingBias: step.hasBias ? 2 : nil, depthwiseBias: depthwise.bias,
      depthwiseFilter: depthwise.filter, averages: averages)
  }

  /// What is done after each of the two convolutions; `nil` where the kernel cannot do it.
  private func expandedActivations(
    _ step: Step
  ) -> (first: (FusedActivation, Float), second: (FusedActivation, Float))? {
    var activations: [(FusedActivation, Float)] = [(.none, 0)]
    for postOp in step.postOps {
      switch postOp {
      case .activation(let activation):
        guard let fused = activation.fused else { return nil }
        activations[activations.count - 1] = fused
      case .depthwise: activations.append((.none, 0))
      case .accumulate, .binary: return nil
      }
    }
    return activations.count == 2 ? (activations[0], activations[1]) : nil
  }
}

extension ExpandedDepthwise {
  fileprivate mutating func setShapes(_ images: Shape, _ filter: Shape) {
    (self.images, inputs, channels) = (Int32(images[0]), Int32(images[1]), Int32(filter[0]))
    (height, width) = (Int32(images[2]), Int32(images[3]))
    (filterHeight, filterWidth) = (Int32(filter[2]), Int32(filter[3]))
  }

  fileprivate mutating func setWindow(_ convolution: Convolution) {
    let (stride, padding) = (convolution.stride, convolution.padding)
    (verticalStride, horizontalStride) = (Int32(stride.height), Int32(stride.width))
    (top, left) = (Int32(padding.top), Int32(padding.left))
    (bottom, right) = (Int32(padding.bottom), Int32(padding.right))
  }
}
