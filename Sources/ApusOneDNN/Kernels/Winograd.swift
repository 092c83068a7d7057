import ApusIR
import ApusPlan
import CKernels
import COneDNN

/// A convolution in Winograd's tiles.
struct WinogradKernel: ConvolutionKernel {
  let kernel: Winograd
  let hasBias: Bool
  let accumulates: Bool

  var implementation: String {
    let height = kernel.filterHeight == 1 ? 1 : kernel.tile
    let width = kernel.filterWidth == 1 ? 1 : kernel.tile
    return "winograd\(height)x\(width):\(kernel.vectors.name)"
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

/// The transform of filters for Winograd's kernel.
struct WinogradFilters: TeamKernel {
  let kernel: Winograd

  var implementation: String { "winograd filters" }

  var threads: Int { Int(kernel.threads) }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.transform(
      filters: memory.floats(0), into: memory.result(), thread: thread, of: kernel.threads)
  }
}

extension OneDNNLibrary {
  /// A resolved convolution, in Winograd's tiles where they take the least work.
  func tiled(_ convolution: Convolution, _ step: Step) -> Step {
    guard usesWinograd, let vectors, isTileable(convolution) else { return step }
    let filters = step.operands[1].type.shape
    let rule = WinogradRule(
      result: step.results[0].type.shape, inputs: filters[1],
      filter: Size2D(filters[2], filters[3]), lanes: Int(vectors.rawValue))
    return winograd(rule.algorithm, convolution, step) ?? step
  }

  /// A resolved convolution in tiles; `nil` where the kernel cannot compute it.
  func winograd(_ algorithm: Algorithm, _ convolution: Convolution, _ step: Step) -> Step? {
    guard usesWinograd, isTileable(convolution) else { return nil }
    var tiled = step
    tiled.algorithm = algorithm
    guard let kernel = winograd(convolution, tiled)?.kernel else { return nil }
    tiled.operands[1].layout = packedLayout(kernel)
    return tiled
  }

  /// The layout of a kernel's filters, which the library then knows how to pack.
  func packedLayout(_ kernel: Winograd) -> Layout {
    let tile = Algorithm.winograd(tile: Int(kernel.tile))
    let turned = kernel.isTransposed ? "_turned" : ""
    let name =
      "\(tile)_\(kernel.vectors.rawValue)_\(kernel.outputs)x\(kernel.inputs)"
      + "x\(kernel.filterHeight)x\(kernel.filterWidth)\(turned)"
    let layout = Layout.native(name, sizeInBytes: 4 * kernel.filterCount)
    packings[layout] = WinogradFilters(kernel: kernel)
    return layout
  }

  private func isTileable(_ convolution: Convolution) -> Bool {
    convolution.stride == Size2D(1) && convolution.dilation == Size2D(1) && convolution.groups == 1
  }

  /// Whether gradients of the convolution can be computed in tiles.
  func isWinograd(_ convolution: Convolution, _ filters: Operand) -> Bool {
    isTileable(convolution) && filters.type.shape.suffix(2) == [3, 3]
  }

  /// The kernel of a step whose algorithm it is; `nil` for what it cannot do.
  func winograd(_ step: Step) -> (any TeamKernel)? {
    switch step.kind {
    case .op(.convolution(let convolution)): winograd(convolution, step)
    case .op(.convolutionInputGradient(let gradient)):
      winogradInputGradient(gradient.convolution, step)
    case .op(.convolutionFilterGradient(let gradient)):
      winogradFilterGradient(gradient.convolution, step)
    case .op, .reorder, .elements: nil
    }
  }

  private func winograd(_ convolution: Convolution, _ step: Step) -> WinogradKernel? {
    let filters = step.operands[1].type.shape
    guard let (activation, parameter) = fusedActivation(step),
      var kernel = winograd(
        step.algorithm, filter: Size2D(filters[2], filters[3]), convolution.padding,
        from: step.operands[0], to: step.results[0])
    else { return nil }
    (kernel.activation, kernel.parameter) = (activation, parameter)
    guard kernel.isValid else { return nil }
    return WinogradKernel(
      kernel: kernel, hasBias: step.hasBias, accumulates: step.accumulates)
  }

  /// A convolution in tiles without activation; `nil` for what no kernel can do.
  func winograd(
    _ algorithm: Algorithm, filter: Size2D = Size2D(3), _ padding: Padding2D,
    from images: Operand, to result: Operand
  ) -> Winograd? {
    guard case .winograd(let tile, let chunk) = algorithm, let vectors,
      let source = ImageStrides(images, vectors), let destination = ImageStrides(result, vectors),
      isSmall(images), isSmall(result)
    else { return nil }
    let shape = images.type.shape
    var kernel = Winograd()
    kernel.vectors = vectors
    kernel.tile = Int32(tile)
    kernel.chunk = Int32(chunk)
    (kernel.filterHeight, kernel.filterWidth) = (Int32(filter.height), Int32(filter.width))
    kernel.images = Int32(shape[0])
    kernel.inputs = Int32(shape[1])
    kernel.outputs = Int32(result.type.shape[1])
    (kernel.height, kernel.width) = (Int32(shape[2]), Int32(shape[3]))
    (kernel.top, kernel.left) = (Int32(padding.top), Int32(padding.left))
    (kernel.bottom, kernel.right) = (Int32(padding.bottom), Int32(padding.right))
    (kernel.source, kernel.destination) = (source, destination)
    (kernel.activation, kernel.parameter) = (.none, 0)
    kernel.threads = Int32(threads)
    return kernel.isValid ? kernel : nil
  }
}
