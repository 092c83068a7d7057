import ApusIR
import ApusTensor

/// A 2-D convolution of images `[n, c, h, w]`, with an optional bias per output channel.
public struct Conv2D: Layer {
  let filter: Tensor
  let bias: Tensor?
  let attributes: Convolution

  /// Declares `weight` `[outputs, inputs/groups, kernel, kernel]` and, if wanted, `bias`
  /// `[outputs]`.
  ///
  /// - Parameter padding: rows and columns of zeros; half the kernel by default, which keeps the
  ///   size at stride 1.
  public init(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    padding: Int? = nil, dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) {
    // Groups that do not divide the inputs leave a filter whose mismatch the convolution names.
    let perGroup = groups > 0 ? inputs / groups : inputs
    // Sizes that overflow are impossible as a filter's shape, which fails the trace.
    let fanIn = perGroup &* kernel &* kernel
    filter = scope.parameter("weight", [outputs, perGroup, kernel, kernel], .heNormal)
    self.bias =
      bias
      ? scope.parameter("bias", [outputs], .uniformFanIn(fanIn)) : nil
    attributes = Convolution(
      stride: Size2D(stride), padding: Padding2D(padding ?? dilation &* (kernel &- 1) / 2),
      dilation: Size2D(dilation), groups: groups)
  }

  /// `[n, inputs, h, w] → [n, outputs, h′, w′]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try convolution(x, filter, bias: bias, attributes)
  }
}
