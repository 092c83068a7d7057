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
    let sides = [
      (low: padding.top, high: padding.bottom), (low: padding.left, high: padding.right),
    ]
    return [
      "window_strides = \(spelled([stride.height, stride.width]))",
      "padding = \(spelled(sides))",
      "lhs_dilation = \(spelled([1, 1]))",
      "rhs_dilation = \(spelled([dilation.height, dilation.width]))",
      "window_reversal = array<i1: false, false>",
      "dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>",
      "feature_group_count = \(groups) : i64",
      "batch_group_count = 1 : i64",
    ]
  }
}
