import ApusIR

extension Convolution {
  /// Images NHWC, filters OHWI, and the bias added to the result: with an activation and a residual
  /// sum after it, XLA makes one cuDNN call of all.
  func emit(_ operands: [Emitted], _ type: TensorType, into function: inout Function) -> Emitted {
    let images = function.term(operands[0], in: channelsLast)
    let filters = function.term(operands[1], in: channelsLast)
    let physical = PhysicalType(type, order: channelsLast).physical
    var result = function.apply(
      "convolution", [images, filters], attributes + function.precision(type.dtype),
      to: physical)
    if operands.count == 3 {
      let bias = function.term(operands[2], in: [0])
      result = function.map(
        "add", result, function.broadcast(bias, to: physical, places: [3]))
    }
    return function.define(type, channelsLast, result)
  }

  private var attributes: [String] {
    windowAttributes(
      strides: stride,
      padding: [(padding.top, padding.bottom), (padding.left, padding.right)],
      dilation: dilation, numbers: "[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]", groups: groups)
  }
}

extension ConvolutionInputGradient {
  /// A convolution of the gradient, its pixels `stride` apart, with the filters mirrored: XLA makes
  /// cuDNN's own of it if the filters are mirrored by an op, not by the window.
  func emit(_ operands: [Emitted], _ type: TensorType, into function: inout Function) -> Emitted {
    let gradient = function.term(operands[0], in: channelsLast)
    var filters = function.term(operands[1], in: channelsLast)
    let kernel = Size2D(operands[1].type.shape[2], operands[1].type.shape[3])
    if kernel != Size2D(1) {
      filters = function.apply(
        "reverse", [filters], ["dimensions = \(spelled([1, 2]))"], to: filters.type)
    }
    if convolution.groups > 1 { filters = groupsOfInputs(filters, into: &function) }
    let sides = zip(convolution.sides(kernel: kernel), [2, 3]).map { side, axis in
      let spread = (operands[0].type.shape[axis] - 1) * side.stride + 1
      let low = side.reach - 1 - side.low
      return (low: low, high: type.shape[axis] - spread - low + side.reach - 1)
    }
    let result = function.apply(
      "convolution", [gradient, filters],
      windowAttributes(
        strides: Size2D(1), padding: sides, spread: convolution.stride,
        dilation: convolution.dilation, numbers: "[b, 0, 1, f]x[i, 0, 1, o]->[b, 0, 1, f]",
        groups: convolution.groups) + function.precision(type.dtype),
      to: PhysicalType(type, order: channelsLast).physical)
    return function.define(type, channelsLast, result)
  }

  /// Filters `[groups · o, h, w, i]` as `[o, h, w, groups · i]`.
  private func groupsOfInputs(_ filters: Term, into function: inout Function) -> Term {
    let (groups, shape) = (convolution.groups, filters.type.shape)
    let (outputs, inputs) = (shape[0] / groups, shape[3])
    let split = function.reshape(
      filters, to: [groups, outputs, shape[1], shape[2], inputs])
    let moved = function.transpose(split, [1, 2, 3, 0, 4])
    return function.reshape(moved, to: [outputs, shape[1], shape[2], groups * inputs])
  }
}

extension ConvolutionFilterGradient {
  /// A convolution whose images are the channels and whose channels are the images.
  func emit(_ operands: [Emitted], _ type: TensorType, into function: inout Function) -> Emitted {
    let images = function.term(operands[0], in: channelsLast)
    let gradient = function.term(operands[1], in: channelsLast)
    let sides = zip(convolution.sides(kernel: kernel), [2, 3]).map { side, axis in
      let spread = (operands[1].type.shape[axis] - 1) * side.stride + 1
      return (
        low: side.low, high: spread + side.reach - 1 - operands[0].type.shape[axis] - side.low
      )
    }
    let result = function.apply(
      "convolution", [images, gradient],
      windowAttributes(
        strides: convolution.dilation, padding: sides, dilation: convolution.stride,
        numbers: "[f, 0, 1, b]x[i, 0, 1, o]->[f, 0, 1, b]", batchGroups: convolution.groups)
        + function.precision(type.dtype),
      to: PhysicalType(type, order: channelsLast).physical)
    return function.define(type, channelsLast, result)
  }
}

extension Convolution {
  /// Of rows, then of columns: the stride, the padding before, and how far the kernel reaches.
  fileprivate func sides(
    kernel: Size2D
  ) -> [(stride: Int, low: Int, reach: Int)] {
    [
      (stride.height, padding.top, (kernel.height - 1) * dilation.height + 1),
      (stride.width, padding.left, (kernel.width - 1) * dilation.width + 1),
    ]
  }
}

/// - Parameters:
///   - spread: how far apart the pixels of the first operand are.
///   - dilation: the same for the second.
private func windowAttributes(
  strides: Size2D, padding: [(low: Int, high: Int)], spread: Size2D = Size2D(1), dilation: Size2D,
  numbers: String, groups: Int = 1, batchGroups: Int = 1
) -> [String] {
  [
    "window_strides = \(spelled([strides.height, strides.width]))",
    "padding = \(spelled(padding))",
    "lhs_dilation = \(spelled([spread.height, spread.width]))",
    "rhs_dilation = \(spelled([dilation.height, dilation.width]))",
    "window_reversal = array<i1: false, false>",
    "dimension_numbers = #stablehlo.conv<\(numbers)>",
    "feature_group_count = \(groups) : i64",
    "batch_group_count = \(batchGroups) : i64",
  ]
}
