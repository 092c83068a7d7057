import ApusIR
import ApusPlan
import CKernels

/// A convolution that gathers what its filters see.
struct Im2colKernel: ConvolutionKernel {
  let kernel: Im2col
  let hasBias: Bool
  let accumulates: Bool

  var implementation: String {
    "\(kernel.source.pixel == 1 ? "stem" : "im2col"):\(kernel.vectors.name)"
  }

  var threads: Int { Int(kernel.threads) }

  var threadScratchSize: Int { kernel.scratchSize }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.run(
      source: memory.floats(0), filters: memory.floats(1), bias: bias(memory),
      residual: residual(memory), destination: memory.result(), scratch: scratch(memory, thread),
      thread: thread)
  }
}

/// The packing of filters for ``Im2colKernel``.
struct Im2colFilters: TeamKernel {
  let kernel: Im2col

  var implementation: String { "im2col filters" }

  var threads: Int { Int(kernel.threads) }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.pack(
      filters: memory.floats(0), into: memory.result(), thread: thread, of: kernel.threads)
  }
}

extension OneDNNLibrary {
  /// Fewer channels fill too little of a vector of what is gathered, more are too much for rows of
  /// plain images.
  private static let leastInputs = 8

  /// A convolution of plain images of few channels by the kernel of CKernels, which leaves its
  /// results channels-last where it is free to; `nil` where that cannot compute it.
  func stem(_ convolution: Convolution, _ step: Step) -> Step? {
    let shape = step.operands[0].type.shape
    guard shape[1] < Self.leastInputs, shape[2] * shape[3] > 1 else { return nil }
    var stem = step
    stem.operands[0].layout = .rowMajor
    if stem.results[0].layout == .any { stem.results[0].layout = .channelsLast }
    return im2col(convolution, stem)
  }

  /// A resolved convolution by the kernel of CKernels; `nil` where that cannot compute it.
  func im2col(_ convolution: Convolution, _ step: Step) -> Step? {
    var gathered = step
    gathered.algorithm = .im2col
    guard let kernel = im2col(gathered)?.kernel else { return nil }
    gathered.operands[1].layout = packed(kernel)
    return gathered
  }

  /// The layout of a kernel's packed filters.
  func packed(_ kernel: Im2col) -> Layout {
    let layout = Layout.native(
      "im2col_\(kernel.vectors.rawValue)_\(kernel.outputs)x\(kernel.inputs)"
        + "x\(kernel.filterHeight)x\(kernel.filterWidth)",
      sizeInBytes: 4 * kernel.filterCount)
    packings[layout] = Im2colFilters(kernel: kernel)
    return layout
  }

  /// The kernel of a step whose algorithm it is; `nil` for what it cannot do.
  func im2col(_ step: Step) -> Im2colKernel? {
    guard case .op(.convolution(let convolution)) = step.kind, let vectors,
      convolution.groups == 1, isSmall(step),
      let (activation, parameter) = fusedActivation(step),
      let source = imageStrides(step.operands[0], vectors),
      let destination = ImageStrides(step.results[0], vectors)
    else { return nil }
    let (images, filters) = (step.operands[0].type.shape, step.operands[1].type.shape)
    let results = step.results[0].type.shape
    var kernel = Im2col()
    kernel.vectors = vectors
    (kernel.images, kernel.inputs, kernel.outputs) = (
      Int32(images[0]), Int32(images[1]), Int32(results[1])
    )
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    (kernel.outputHeight, kernel.outputWidth) = (Int32(results[2]), Int32(results[3]))
    (kernel.filterHeight, kernel.filterWidth) = (Int32(filters[2]), Int32(filters[3]))
    kernel.verticalStride = Int32(convolution.stride.height)
    kernel.horizontalStride = Int32(convolution.stride.width)
    kernel.verticalDilation = Int32(convolution.dilation.height)
    kernel.horizontalDilation = Int32(convolution.dilation.width)
    (kernel.top, kernel.left) = (Int32(convolution.padding.top), Int32(convolution.padding.left))
    (kernel.source, kernel.destination) = (source, destination)
    (kernel.activation, kernel.parameter) = (activation, parameter)
    kernel.threads = Int32(threads)
    guard kernel.isValid else { return nil }
    return Im2colKernel(kernel: kernel, hasBias: step.hasBias, accumulates: step.accumulates)
  }

  /// Where the elements of the images lie: plain if they have few channels.
  private func imageStrides(_ images: Operand, _ vectors: Vectors) -> ImageStrides? {
    let shape = images.type.shape
    let hasFew = shape[1] < Self.leastInputs
    guard images.layout == .rowMajor else {
      return hasFew ? nil : ImageStrides(images, vectors)
    }
    let area = shape[2] * shape[3]
    guard hasFew else { return nil }
    return ImageStrides(image: shape[1] * area, block: area, row: shape[3], pixel: 1)
  }
}
