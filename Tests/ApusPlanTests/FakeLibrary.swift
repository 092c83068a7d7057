import ApusIR
import ApusPlan

/// A kernel library that wants images in blocks of 16 channels and filters in a layout of its own,
/// and has kernels for the ops that matter.
struct FakeLibrary: KernelLibrary {
  /// Whether convolutions are computed in tiles where the rule says so.
  var usesWinograd = false
  /// Whether a kernel goes on from 1×1 to depthwise convolutions.
  var fusesDepthwise = false
  /// Whether kernels of norms by the batch's statistics take on what follows them.
  var fusesNorms = false
  /// Whether element-by-element ops become one step.
  var joinsElements = false

  func hasKernel(for op: Op, on operands: [TensorType]) -> Bool {
    switch op {
    case .unary, .binary, .activation, .activationGradient, .concatenate, .reduce, .dot,
      .convolution, .convolutionInputGradient, .convolutionFilterGradient, .pool, .batchNorm,
      .batchNormTraining, .batchNormGradient, .localResponseNorm:
      operands.allSatisfy { $0.dtype == .float32 }
    case .compare, .select, .convert: joinsElements
    case .input, .constant, .iota, .reshape, .transpose, .broadcast, .slice, .pad, .barrier,
      .argMax, .poolGradient, .activatedBatchNorm, .activatedBatchNormGradient,
      .localResponseNormGradient:
      false
    }
  }

  func resolved(_ step: Step) throws(PlanError) -> Step {
    var step = step
    let weights = step.operands[1].type
    switch step.kind {
    case .op(.convolution(let convolution)) where convolution.dilation != Size2D(1):
      throw PlanError(step, "no dilation")
    case .op(.convolution):
      if step.operands[0].layout == .any {
        step.operands[0].layout = step.operands[0].type.shape[1] == 3 ? .rowMajor : .blocked(16)
      }
      if step.results[0].layout == .any { step.results[0].layout = .blocked(16) }
      if let depthwise = step.depthwise {
        let size = step.operands[depthwise.filter].type.sizeInBytes
        step.operands[depthwise.filter].layout = .native("taps", sizeInBytes: size)
      }
      step.operands[1].layout = .native("filter", sizeInBytes: 2 * weights.sizeInBytes)
      let result = step.results[0].type.shape
      let rule = WinogradRule(result: result, inputs: weights.shape[1], lanes: 16)
      if usesWinograd, case .winograd(let tile, _) = rule.algorithm {
        step.algorithm = rule.algorithm
        step.operands[1].layout = .native("tiles\(tile)", sizeInBytes: 4 * weights.sizeInBytes)
      }
    case .op(.convolutionInputGradient):
      step.operands[0].layout = .blocked(16)
      step.operands[1].layout = .native("flipped", sizeInBytes: weights.sizeInBytes)
      step.results[0].layout = .blocked(16)
    case .op(.convolutionFilterGradient):
      step.operands[0].layout = .blocked(16)
      step.operands[1].layout = .blocked(16)
      step.results[0].layout = .native(
        "gradient", sizeInBytes: 2 * step.results[0].type.sizeInBytes)
    case .op(.dot):
      step.operands[1].layout = .native("matrix", sizeInBytes: weights.sizeInBytes + 64)
    default: break
    }
    return step
  }

  func reads(_ step: Step, in layout: Layout) -> Bool {
    step.algorithm != .library && layout == .channelsLast
  }

  func fusesScale(into op: Op, on operands: [TensorType]) -> Bool { false }

  func fusesDepthwise(into step: Step) -> Bool {
    guard let depthwise = step.depthwise, step.operands[0].layout == .blocked(16) else {
      return false
    }
    return fusesDepthwise && step.operands[1].type.shape.suffix(2) == [1, 1]
      && step.operands[depthwise.filter].type.shape[1] == 1
  }

  func fusesMean(into op: Op, on operands: [TensorType]) -> Bool { false }

  func fusesWithScaleOrMean(_ activation: Activation) -> Bool { fusesDepthwise }

  func fuses(_ activation: Activation?, intoTrainingNormOf images: Operand) -> Bool {
    fusesNorms && images.layout == .blocked(16)
  }

  func joins(_ function: ElementProgram.Function) -> Bool { joinsElements }

  func sumsPixels(of images: Operand) -> Bool { images.layout == .blocked(16) }

  /// Convolutions want 100 bytes.
  func scratchpadSizeInBytes(of step: Step) throws(PlanError) -> Int {
    if case .op(.convolution) = step.kind { 100 } else { 0 }
  }
}
