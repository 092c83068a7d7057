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
    "winograd\(kernel.tile)x\(kernel.tile):\(kernel.vectors.name)"
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
    guard usesWinograd, let vectors, isWinograd(convolution, step) else { return step }
    let rule = WinogradRule(
      result: step.results[0].type.shape, inputs: step.operands[0].type.shape[1],
      lanes: Int(vectors.rawValue))
    return winograd(rule.algorithm, convolution, step) ?? step
  }

  /// A resolved convolution in tiles; `nil` where the kernel cannot compute it.
  func winograd(_ algorithm: Algorithm, _ convolution: Convolution, _ step: Step) -> Step? {
    guard usesWinograd, isWinograd(convolution, step) else { return nil }
    var tiled = step
    tiled.algorithm = algorithm
    guard let kernel = winograd(tiled)?.kernel else { return nil }
    let tile = Algorithm.winograd(tile: Int(kernel.tile))
    let name = "\(tile)_\(kernel.vectors.rawValue)_\(kernel.outputs)x\(kernel.inputs)"
    let layout = Layout.native(name, sizeInBytes: 4 * kernel.filterCount)
    packings[layout] = WinogradFilters(kernel: kernel)
    tiled.operands[1].layout = layout
    return tiled
  }

  private func isWinograd(_ convolution: Convolution, _ step: Step) -> Bool {
    convolution.stride == Size2D(1) && convolution.dilation == Size2D(1) && convolution.groups == 1
      && step.operands[1].type.shape.suffix(2) == [3, 3] && isSmall(step)
  }

  /// The kernel of a convolution in tiles; `nil` for other steps and what it cannot do.
  func winograd(_ step: Step) -> WinogradKernel? {
    guard case .winograd(let tile, let chunk) = step.algorithm, let vectors,
      case .op(.convolution(let convolution)) = step.kind,
      let (activation, parameter) = fusedActivation(step),
      let source = ImageStrides(step.operands[0], vectors),
      let destination = ImageStrides(step.results[0], vectors)
    else { return nil }
    let (images, padding) = (step.operands[0].type.shape, convolution.padding)
    var kernel = Winograd()
    kernel.vectors = vectors
    kernel.tile = Int32(tile)
    kernel.chunk = Int32(chunk)
    kernel.images = Int32(images[0])
    kernel.inputs = Int32(images[1])
    kernel.outputs = Int32(step.results[0].type.shape[1])
    (kernel.height, kernel.width) = (Int32(images[2]), Int32(images[3]))
    (kernel.top, kernel.left) = (Int32(padding.top), Int32(padding.left))
    (kernel.bottom, kernel.right) = (Int32(padding.bottom), Int32(padding.right))
    (kernel.source, kernel.destination) = (source, destination)
    (kernel.activation, kernel.parameter) = (activation, parameter)
    kernel.threads = Int32(threads)
    guard kernel.isValid else { return nil }
    return WinogradKernel(
      kernel: kernel, hasBias: step.hasBias, accumulates: step.accumulates)
  }
}
