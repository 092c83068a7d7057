import ApusIR
import ApusPlan

/// A library without kernels: everything is planned as it lies, for the reference.
public struct NoKernels: KernelLibrary {
  public init() {}

  public func hasKernel(for op: Op, on operands: [TensorType]) -> Bool { false }
  public func resolved(_ step: Step) -> Step { step }
  public func reads(_ step: Step, in layout: Layout) -> Bool { false }
  public func fusesScale(into op: Op, on operands: [TensorType]) -> Bool { false }
  public func fusesDepthwise(into step: Step) -> Bool { false }
  public func fusesMean(into op: Op, on operands: [TensorType]) -> Bool { false }
  public func fusesWithScaleOrMean(_ activation: Activation) -> Bool { false }
  public func fuses(_ activation: Activation?, intoTrainingNormOf images: Operand) -> Bool { false }
  public func joins(_ function: ElementProgram.Function) -> Bool { false }
  public func sumsPixels(of images: Operand) -> Bool { false }
  public func scratchpadSizeInBytes(of step: Step) -> Int { 0 }
}
