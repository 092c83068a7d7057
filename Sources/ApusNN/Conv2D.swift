import ApusIR
import ApusTensor

/// What surrounds the images that a window slides over.
public enum WindowPadding: Hashable, Sendable {
  /// Half the kernel's reach on every side, which keeps the size at stride 1.
  case half
  /// So many rows and columns on every side.
  case pixels(Int)
  /// So many rows above and below, so many columns left and right.
  case sides(Size2D)
  /// What makes the output the input's size divided by the stride, rounded up; an odd pixel goes
  /// below and to the right (TensorFlow's SAME).
  case same

  /// The padding of images of the given size.
  func resolved(
    _ image: Size2D, kernel: Size2D, stride: Size2D, dilation: Size2D = Size2D(1)
  ) -> Padding2D {
    // Sizes that overflow are impossible attributes, which the convolution names.
    let reach = Size2D(
      dilation.height &* (kernel.height &- 1) &+ 1, dilation.width &* (kernel.width &- 1) &+ 1)
    switch self {
    case .half:
      return .sides(Size2D((reach.height &- 1) / 2, (reach.width &- 1) / 2))
    case .pixels(let pixels): return Padding2D(pixels)
    case .sides(let size): return .sides(size)
    case .same:
      func total(_ size: Int, _ reach: Int, _ stride: Int) -> Int {
        guard stride > 0 else { return 0 }
        return max((size - 1) / stride &* stride &+ reach &- size, 0)
      }
      let height = total(image.height, reach.height, stride.height)
      let width = total(image.width, reach.width, stride.width)
      return Padding2D(
        top: height / 2, left: width / 2, bottom: height - height / 2, right: width - width / 2)
    }
  }
}

extension WindowPadding: ExpressibleByIntegerLiteral {
  public init(integerLiteral pixels: Int) { self = .pixels(pixels) }
}

extension Padding2D {
  fileprivate static func sides(_ size: Size2D) -> Padding2D {
    Padding2D(top: size.height, left: size.width, bottom: size.height, right: size.width)
  }
}

/// A 2-D convolution of images `[n, c, h, w]`, with an optional bias per output channel.
public struct Conv2D: Layer {
  let filter: Tensor
  let bias: Tensor?
  let kernel: Size2D
  let stride: Size2D
  let padding: WindowPadding
  let dilation: Size2D
  let groups: Int

  /// Declares `weight` `[outputs, inputs/groups, kernel, kernel]` and, if wanted, `bias`
  /// `[outputs]`.
  public init(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    padding: WindowPadding = .half, dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) {
    self.init(
      scope, inputs, outputs, kernel: Size2D(kernel), stride: stride, padding: padding,
      dilation: dilation, groups: groups, bias: bias)
  }

  /// The same with a kernel that need not be square.
  public init(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Size2D, stride: Int = 1,
    padding: WindowPadding = .half, dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) {
    // Groups that do not divide the inputs leave a filter whose mismatch the convolution names.
    let perGroup = groups > 0 ? inputs / groups : inputs
    filter = scope.parameter(
      "weight", [outputs, perGroup, kernel.height, kernel.width],
      groups > 1 ? .groupedHeNormal(groups) : .heNormal)
    // Sizes that overflow are impossible as a filter's shape, which fails the trace.
    let fanIn = perGroup &* kernel.height &* kernel.width
    self.bias = bias ? scope.parameter("bias", [outputs], .uniformFanIn(fanIn)) : nil
    self.kernel = kernel
    self.stride = Size2D(stride)
    self.padding = padding
    self.dilation = Size2D(dilation)
    self.groups = groups
  }

  /// `[n, inputs, h, w] → [n, outputs, h′, w′]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    let image = x.rank == 4 ? Size2D(x.shape[2], x.shape[3]) : Size2D(1)
    let attributes = Convolution(
      stride: stride,
      padding: padding.resolved(image, kernel: kernel, stride: stride, dilation: dilation),
      dilation: dilation, groups: groups)
    return try convolution(x, filter, bias: bias, attributes)
  }
}
