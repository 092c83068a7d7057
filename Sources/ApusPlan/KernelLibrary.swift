import ApusIR

/// What the planner asks of the library that will run its steps.
///
/// Tests answer with a fake, so planning needs no C library.
public protocol KernelLibrary {
  /// Whether the library has a kernel for the op that works in any layout; others run the reference
  /// on row-major tensors.
  func hasKernel(for op: Op, on operands: [TensorType]) -> Bool

  /// The step with the algorithm that suits it best, and every layout that is `.any` replaced by the
  /// one in which it runs best.
  func resolved(_ step: Step) throws(PlanError) -> Step

  /// Whether the step, once resolved, could as well read its images in that layout.
  func reads(_ step: Step, in layout: Layout) -> Bool

  /// Whether a kernel multiplies the channels of the op's images by factors as it reads them.
  func fusesScale(into op: Op, on operands: [TensorType]) -> Bool

  /// Whether one kernel runs such a 1×1 convolution and the depthwise one that follows it, in less
  /// time than two.
  func fusesDepthwise(into step: Step) -> Bool

  /// Whether a kernel makes the mean over the pixels of the op's result too.
  func fusesMean(into op: Op, on operands: [TensorType]) -> Bool

  /// Whether such kernels apply that activation to their results.
  func fusesWithScaleOrMean(_ activation: Activation) -> Bool

  /// Whether a kernel of norms by the batch's statistics, of such images, also adds others, applies
  /// that activation, and goes through it in its gradient.
  func fuses(_ activation: Activation?, intoTrainingNormOf images: Operand) -> Bool

  /// Whether a kernel of several element-by-element ops has that function.
  func joins(_ function: ElementProgram.Function) -> Bool

  /// Whether a kernel sums the pixels of each channel of such images, or of the product of two.
  func sumsPixels(of images: Operand) -> Bool

  /// Bytes of working memory the step needs.
  func scratchpadSizeInBytes(of step: Step) throws(PlanError) -> Int
}

/// A step that the kernel library cannot run.
public struct PlanError: Error, Hashable, Sendable, CustomStringConvertible {
  public let path: String
  public let step: String
  public let reason: String

  public init(_ step: Step, _ reason: String) {
    path = step.path
    self.step = step.name
    self.reason = reason
  }

  public var description: String { "\(path.isEmpty ? "" : path + ": ")\(step): \(reason)" }
}
