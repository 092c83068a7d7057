import ApusIR
import ApusPlan
import CKernels

/// The gradient of a convolution's filters, and of its bias, in Winograd's tiles.
struct WinogradGradientKernel: TeamKernel {
  let kernel: Winograd

  var implementation: String { "winograd4x4:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var phases: Int { Int(kernel.gradientPhases) }

  var scratchSizeInBytes: Int { kernel.gradientScratchSize }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    kernel.gradient(
      source: memory.floats(0), gradient: memory.floats(1), filters: memory.result(),
      bias: memory.results.count == 2 ? memory.result(1) : nil, scratch: memory.scratch,
      phase: Int32(phase), thread: thread)
  }
}

extension OneDNNLibrary {
  /// A resolved gradient of images, in tiles where they take the least work: a convolution of the
  /// gradient by filters turned by 180° whose channels have changed places.
  func tiled(_ gradient: ConvolutionInputGradient, _ step: Step) -> Step {
    guard usesWinograd, let vectors, isWinograd(gradient.convolution, step.operands[1]) else {
      return step
    }
    var tiled = step
    tiled.algorithm =
      WinogradRule(
        result: step.results[0].type.shape, inputs: step.operands[0].type.shape[1],
        lanes: Int(vectors.rawValue)
      ).algorithm
    guard let kernel = winogradInputGradient(gradient.convolution, tiled)?.kernel else {
      return step
    }
    tiled.operands[1].layout = packedLayout(kernel)
    return tiled
  }

  /// A resolved gradient of filters, in tiles where they take the least work.
  func tiled(_ gradient: ConvolutionFilterGradient, _ step: Step) -> Step {
    guard usesWinograd, let vectors, isWinograd(gradient.convolution, step.results[0]) else {
      return step
    }
    var tiled = step
    tiled.algorithm =
      WinogradRule(
        result: step.operands[1].type.shape, inputs: step.operands[0].type.shape[1],
        lanes: Int(vectors.rawValue)
      ).gradientAlgorithm
    guard winogradFilterGradient(gradient.convolution, tiled) != nil else { return step }
    tiled.results[0].layout = .rowMajor
    return tiled
  }

  /// The kernel of a gradient of images whose algorithm it is; `nil` for what it cannot do.
  func winogradInputGradient(_ convolution: Convolution, _ step: Step) -> WinogradKernel? {
    let padding = convolution.padding
    // Each side is padded with what the filters reach over the images' own padding.
    let turned = Padding2D(
      top: 2 - padding.top, left: 2 - padding.left, bottom: 2 - padding.bottom,
      right: 2 - padding.right)
    guard
      var kernel = winograd(
        step.algorithm, turned, from: step.operands[0], to: step.results[0])
    else { return nil }
    kernel.isTransposed = true
    return WinogradKernel(kernel: kernel, hasBias: false, accumulates: false)
  }

  /// The kernel of a gradient of filters whose algorithm it is; `nil` for what it cannot do.
  func winogradFilterGradient(
    _ convolution: Convolution, _ step: Step
  ) -> WinogradGradientKernel? {
    guard
      let kernel = winograd(
        step.algorithm, convolution.padding, from: step.operands[0], to: step.operands[1]),
      kernel.isValidGradient
    else { return nil }
    return WinogradGradientKernel(kernel: kernel)
  }
}
