import ApusIR
import ApusPlan
import CKernels
import COneDNN

extension Vectors {
  /// As in the library's names.
  var name: String { self == .avx512 ? "avx512" : "avx2" }

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
  /// The kernel of CKernels that runs a step, if its algorithm is one of theirs or if it packs
  /// filters for one, or if only they have one for the step's op.
  func own(_ step: Step) -> (any TeamKernel)? {
    switch step.algorithm {
    case .winograd: winograd(step)
    case .pointwise: pointwiseKernel(step)
    case .depthwise: depthwiseKernel(step)
    case .grouped: grouped(step)
    case .im2col: im2col(step)
    case .library: ownOnly(step)
    case .implementation: nil
    }
  }

  private func pointwiseKernel(_ step: Step) -> (any TeamKernel)? {
    if case .op(.convolutionFilterGradient(let gradient)) = step.kind {
      return pointwiseGradient(gradient.convolution, step)
    }
    return pointwise(step)
  }

  private func depthwiseKernel(_ step: Step) -> (any TeamKernel)? {
    if case .op(.convolutionFilterGradient(let gradient)) = step.kind {
      return depthwiseGradient(gradient.convolution, step)
    }
    return depthwise(step)
  }

  private func ownOnly(_ step: Step) -> (any TeamKernel)? {
    switch step.kind {
    case .elements(let program): elementwise(program, step)
    case .reorder: packings[step.results[0].layout]
    case .op(.convolution): step.depthwise == nil ? nil : expandedDepthwiseKernel(step)
    case .op(.reduce(let reduce)): pixelSum(reduce, step)
    case .op(.poolGradient(let gradient)): maxPoolGradient(gradient, step)
    case .op(.batchNormTraining(let norm)): trainingNorm(norm, step)
    case .op(.batchNormGradient(let norm)): trainingNormGradient(norm, step)
    case .op(.activatedBatchNorm(let norm)): activatedNorm(norm, step)
    case .op(.activatedBatchNormGradient(let norm)): activatedNormGradient(norm, step)
    case .op(let op): elementwise(op, step)
    }
  }

  /// Whether kernels that count in 32 bits can count all axes.
  func isSmall(_ step: Step) -> Bool {
    isSmall(step.operands[0]) && isSmall(step.results[0])
  }

  func isSmall(_ operand: Operand) -> Bool {
    operand.type.shape.extents.allSatisfy { $0 < 1 << 30 }
  }

  /// What a kernel does after bias and residual; `nil` where it cannot do what the step's post-ops
  /// ask for.
  func fusedActivation(_ step: Step) -> (FusedActivation, Float)? {
    var postOps = step.postOps[...]
    if case .accumulate = postOps.first { postOps.removeFirst() }
    guard let postOp = postOps.popFirst() else { return (.none, 0) }
    guard case .activation(let activation) = postOp, postOps.isEmpty else { return nil }
    return activation.fused
  }
}

extension Activation {
  /// The same for kernels of CKernels, where they have it.
  var fused: (FusedActivation, Float)? {
    switch self {
    case .relu: (.relu, 0)
    case .relu6: (.clippedRelu, 6)
    case .leakyRelu(let slope): (.leakyRelu, Float(slope))
    case .elu(let alpha): (.elu, Float(alpha))
    case .swish: (.swish, 0)
    case .hardSwish: (.hardSwish, 0)
    case .mish: (.mish, 0)
    case .sigmoid: (.sigmoid, 0)
    case .hardSigmoid: (.hardSigmoid, 0)
    case .tanh: nil
    }
  }
}

extension PixelStrides {
  /// Where the pixels of an image lie; `nil` where their channels are no neighbours.
  ///
  /// - Parameter stride: from one pixel that matters to the next.
  init?(_ image: Operand, stride: Size2D = Size2D(1)) {
    guard image.layout == .channelsLast else { return nil }
    let (channels, height, width) = (image.type.shape[1], image.type.shape[2], image.type.shape[3])
    self.init(
      image: height * width * channels, row: stride.height * width * channels,
      pixel: stride.width * channels)
  }
}

extension ChannelBlocks {
  /// Where the elements of images or of rows of a matrix lie; `nil` where channels are no neighbours,
  /// or some of them padding.
  init?(_ operand: Operand) {
    let shape = operand.type.shape
    let channels = shape[1]
    let area = shape.rank == 4 ? shape[2] * shape[3] : 1
    switch operand.layout {
    case .channelsLast,
      .rowMajor where shape.rank == 2:
      self.init(image: area * channels, block: 0, pixel: channels, channels: Int32(channels))
    case .blocked(let size) where channels % size == 0:
      self.init(image: area * channels, block: area * size, pixel: size, channels: Int32(size))
    case .rowMajor, .blocked, .native, .any: return nil
    }
  }
}

extension ImageStrides {
  /// Where the elements of an operand lie; `nil` in layouts without vectors of channels.
  init?(_ operand: Operand, _ vectors: Vectors) {
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
