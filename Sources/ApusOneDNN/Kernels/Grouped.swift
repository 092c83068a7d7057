import ApusIR
import ApusPlan
import CKernels

/// A 3×3 convolution in groups of few channels.
struct GroupedKernel: ConvolutionKernel {
  let kernel: Grouped
  let hasBias: Bool

  var implementation: String { "grouped:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var accumulates: Bool { false }

  var threadScratchSize: Int { kernel.scratchSize }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.run(
      source: memory.floats(0), filters: memory.floats(1), bias: bias(memory),
      destination: memory.result(), scratch: scratch(memory, thread), thread: thread)
  }
}

/// The packing of filters for ``GroupedKernel``.
struct GroupedFilters: TeamKernel {
  let kernel: Grouped

  var implementation: String { "grouped filters" }

  var threads: Int { 1 }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.pack(filters: memory.floats(0), into: memory.result())
  }
}

extension OneDNNLibrary {
  /// A resolved convolution in groups by the kernel of CKernels; `nil` where that cannot compute it.
  func grouped(_ convolution: Convolution, _ step: Step) -> Step? {
    var grouped = step
    grouped.algorithm = .grouped
    guard let kernel = self.grouped(grouped)?.kernel else { return nil }
    let layout = Layout.native(
      "grouped_\(kernel.vectors.rawValue)_\(kernel.channels)x\(kernel.groupChannels)",
      sizeInBytes: 4 * kernel.filterCount)
    packings[layout] = GroupedFilters(kernel: kernel)
    grouped.operands[1].layout = layout
    return grouped
  }

  /// A convolution whose groups fill no vector, channels-last where it is free to: the library has
  /// nothing that is nearly as fast.
  func narrowGroups(_ convolution: Convolution, _ step: Step) -> Step? {
    guard let vectors, step.operands[1].type.shape[1] < Int(vectors.rawValue) else { return nil }
    var grouped = step
    if step.operands[0].layout == .any { grouped.operands[0].layout = .channelsLast }
    if step.results[0].layout == .any { grouped.results[0].layout = .channelsLast }
    return self.grouped(convolution, grouped)
  }

  /// The kernel of a step whose algorithm it is; `nil` for what it cannot do.
  func grouped(_ step: Step) -> GroupedKernel? {
    guard case .op(.convolution(let convolution)) = step.kind, let vectors,
      Self.isGrouped(convolution, filter: step.operands[1].type.shape),
      !step.accumulates, isSmall(step),
      let (activation, parameter) = fusedActivation(step),
      let source = ImageStrides(step.operands[0], vectors),
      let destination = ImageStrides(step.results[0], vectors)
    else { return nil }
    let (images, results) = (step.operands[0].type.shape, step.results[0].type.shape)
    var kernel = Grouped()
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(images[0]), Int32(images[1]))
    kernel.groupChannels = Int32(step.operands[1].type.shape[1])
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    (kernel.outputHeight, kernel.outputWidth) = (Int32(results[2]), Int32(results[3]))
    kernel.stride = Int32(convolution.stride.height)
    (kernel.top, kernel.left) = (Int32(convolution.padding.top), Int32(convolution.padding.left))
    (kernel.source, kernel.destination) = (source, destination)
    (kernel.activation, kernel.parameter) = (activation, parameter)
    kernel.threads = Int32(threads)
    guard kernel.isValid else { return nil }
    return GroupedKernel(kernel: kernel, hasBias: step.hasBias)
  }

  /// Whether filters are 3×3 and groups have as many outputs as inputs, more than one.
  static func isGrouped(_ convolution: Convolution, filter: Shape) -> Bool {
    convolution.groups > 1 && filter[0] == convolution.groups * filter[1] && filter[1] > 1
      && filter.suffix(2) == [3, 3] && convolution.dilation == Size2D(1)
      && convolution.stride.height == convolution.stride.width
  }
}
