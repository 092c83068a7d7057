import ApusIR
import ApusPlan
import CKernels
import COneDNN

extension Vectors {
  /// The widest vectors that oneDNN may use too, so that both agree on blocks of channels;
  /// `ONEDNN_MAX_CPU_ISA` narrows them.
  static var effective: Vectors? {
    let isa = dnnl_get_effective_cpu_isa().rawValue
    func offers(_ wanted: dnnl_cpu_isa_t, _ vectors: Vectors) -> Bool {
      isa & wanted.rawValue == wanted.rawValue && vectors.rawValue <= widest.rawValue
    }
    if offers(dnnl_cpu_isa_avx512_core, .avx512) { return .avx512 }
    return offers(dnnl_cpu_isa_avx2, .avx2) ? .avx2 : nil
  }
}

extension OneDNNLibrary {
  /// A resolved convolution, in Winograd's tiles where they take the least work.
  func tiled(_ convolution: Convolution, _ step: Step) -> Step {
    guard let vectors = winogradVectors, isWinograd(convolution, step) else { return step }
    let rule = WinogradRule(
      result: step.results[0].type.shape, inputs: step.operands[0].type.shape[1],
      lanes: Int(vectors.rawValue))
    return winograd(rule.algorithm, convolution, step) ?? step
  }

  /// A resolved convolution in tiles; `nil` where the kernel cannot compute it.
  func winograd(_ algorithm: Algorithm, _ convolution: Convolution, _ step: Step) -> Step? {
    guard isWinograd(convolution, step) else { return nil }
    var tiled = step
    tiled.algorithm = algorithm
    guard let kernel = winograd(tiled)?.kernel else { return nil }
    let tile = Algorithm.winograd(tile: Int(kernel.tile))
    let name = "\(tile)_\(kernel.vectors.rawValue)_\(kernel.outputs)x\(kernel.inputs)"
    let layout = Layout.native(name, sizeInBytes: 4 * kernel.filterCount)
    winogradFilters[layout] = kernel
    tiled.operands[1].layout = layout
    return tiled
  }

  private func isWinograd(_ convolution: Convolution, _ step: Step) -> Bool {
    convolution.stride == Size2D(1) && convolution.dilation == Size2D(1) && convolution.groups == 1
      && step.operands[1].type.shape.suffix(2) == [3, 3]
      // The kernel counts in 32 bits.
      && (step.operands[0].type.shape.extents + step.results[0].type.shape.extents).allSatisfy {
        $0 < 1 << 30
      }
  }

  /// The kernel of a convolution in tiles; `nil` for other steps and what it cannot do.
  func winograd(_ step: Step) -> WinogradKernel? {
    guard case .winograd(let tile, let chunk) = step.algorithm, let vectors = winogradVectors,
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
      kernel: kernel, hasBias: step.operands.count - step.postOperandCount == 3,
      accumulates: step.postOperandCount == 1)
  }

  /// The kernel for which a step transforms filters.
  func winogradFilters(_ step: Step) -> Winograd? {
    step.kind == .reorder ? winogradFilters[step.results[0].layout] : nil
  }

  /// What the kernel does after bias and residual; `nil` where its output transform cannot do what
  /// the step's post-ops ask for.
  private func fusedActivation(_ step: Step) -> (FusedActivation, Float)? {
    var postOps = step.postOps[...]
    if case .accumulate = postOps.first { postOps.removeFirst() }
    guard let postOp = postOps.popFirst() else { return (.none, 0) }
    guard case .activation(let activation) = postOp, postOps.isEmpty else { return nil }
    return activation.fused
  }
}

extension Activation {
  /// The same for the kernel, where it has it.
  fileprivate var fused: (FusedActivation, Float)? {
    switch self {
    case .relu: (.relu, 0)
    case .relu6: (.clippedRelu, 6)
    case .leakyRelu(let slope): (.leakyRelu, Float(slope))
    case .elu(let alpha): (.elu, Float(alpha))
    case .swish: (.swish, 0)
    case .hardSwish: (.hardSwish, 0)
    case .mish: (.mish, 0)
    case .sigmoid, .tanh, .hardSigmoid: nil
    }
  }
}

extension ImageStrides {
  /// Where the elements of an operand lie; `nil` in layouts without vectors of channels.
  fileprivate init?(_ operand: Operand, _ vectors: Vectors) {
    let shape = operand.type.shape
    let (channels, area, lanes) = (shape[1], shape[2] * shape[3], Int(vectors.rawValue))
    switch operand.layout {
    case .channelsLast:
      self.init(
        image: area * channels, block: lanes, row: shape[3] * channels, pixel: channels)
    case .blocked(lanes):
      let blocks = (channels + lanes - 1) / lanes
      self.init(
        image: blocks * area * lanes, block: area * lanes, row: shape[3] * lanes, pixel: lanes)
    case .rowMajor, .blocked, .native, .any: return nil
    }
  }
}
