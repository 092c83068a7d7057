import ApusIR

extension OpCase {
  static let convolution: [OpCase] = forward + forward.flatMap(gradients(of:))

  private static let forward = kernels + strides + paddings + dilations + groups + extremes

  private static let kernels: [OpCase] = [
    row("1×1", [2, 5, 6, 7], [7, 5, 1, 1]),
    row("1×1 with bias", [3, 6, 3, 4], [10, 6, 1, 1], bias: true),
    row("3×3", [1, 3, 6, 7], [10, 3, 3, 3], padding: Padding2D(1)),
    row("3×3 with bias, batch 3", [3, 4, 5, 5], [6, 4, 3, 3], bias: true, padding: Padding2D(1)),
    row("3×3 without padding", [2, 3, 6, 5], [5, 3, 3, 3]),
    row("2×2", [1, 3, 5, 5], [4, 3, 2, 2]),
    row("5×5", [1, 2, 7, 6], [3, 2, 5, 5], bias: true, padding: Padding2D(2)),
    row(
      "1×5", [1, 3, 4, 8], [5, 3, 1, 5], padding: Padding2D(top: 0, left: 2, bottom: 0, right: 2)),
    row("3×1 with bias", [2, 3, 6, 4], [4, 3, 3, 1], bias: true),
    row("of 16 channels to 32", [1, 16, 4, 4], [32, 16, 3, 3], padding: Padding2D(1)),
    row("of 17 channels to 33", [2, 17, 3, 3], [33, 17, 1, 1], bias: true),
    row("of one channel", [1, 1, 5, 5], [1, 1, 3, 3]),
  ]

  private static let strides: [OpCase] = [
    row(
      "7×7 stride 2", [1, 3, 15, 14], [9, 3, 7, 7], stride: Size2D(2), padding: Padding2D(3)),
    row(
      "3×3 stride 2", [2, 5, 7, 8], [6, 5, 3, 3], bias: true, stride: Size2D(2),
      padding: Padding2D(1)),
    row("1×1 stride 2", [2, 6, 5, 6], [8, 6, 1, 1], stride: Size2D(2)),
    row("3×2 stride 1×2", [1, 3, 6, 7], [4, 3, 3, 2], stride: Size2D(1, 2)),
    row("stride beyond the kernel", [1, 3, 8, 8], [4, 3, 2, 2], stride: Size2D(3)),
    row(
      "11×11 stride 4", [1, 3, 16, 17], [2, 3, 11, 11], bias: true, stride: Size2D(4),
      padding: Padding2D(2)),
  ]

  private static let paddings: [OpCase] = [
    row(
      "asymmetric padding", [2, 3, 5, 6], [4, 3, 3, 3],
      padding: Padding2D(top: 1, left: 0, bottom: 2, right: 3)),
    row(
      "asymmetric padding stride 2", [1, 3, 6, 6], [5, 3, 3, 3], bias: true, stride: Size2D(2),
      padding: Padding2D(top: 0, left: 0, bottom: 1, right: 1)),
    row(
      "padding beyond the kernel", [1, 2, 3, 3], [3, 2, 1, 1], bias: true, padding: Padding2D(1)),
    row(
      "3×3 with padding 3", [1, 2, 3, 4], [3, 2, 3, 3], padding: Padding2D(3)),
  ]

  private static let dilations: [OpCase] = [
    row(
      "dilation 2", [1, 3, 8, 7], [4, 3, 3, 3], padding: Padding2D(2), dilation: Size2D(2)),
    row("dilation 2×3", [2, 2, 8, 9], [3, 2, 2, 3], bias: true, dilation: Size2D(2, 3)),
    row(
      "dilation 2 stride 2 in groups", [1, 4, 9, 9], [6, 2, 3, 3], stride: Size2D(2),
      padding: Padding2D(2), dilation: Size2D(2), groups: 2),
  ]

  private static let groups: [OpCase] = [
    row("2 groups", [2, 6, 5, 5], [4, 3, 3, 3], padding: Padding2D(1), groups: 2),
    row("3 groups with bias", [1, 6, 4, 5], [9, 2, 3, 3], bias: true, groups: 3),
    row(
      "4 groups of 16 channels", [1, 16, 4, 4], [16, 4, 3, 3], padding: Padding2D(1), groups: 4),
    row("2 groups 1×1", [2, 6, 3, 3], [10, 3, 1, 1], groups: 2),
    row("depthwise", [2, 7, 5, 6], [7, 1, 3, 3], padding: Padding2D(1), groups: 7),
    row(
      "depthwise 5×5 stride 2 with bias", [1, 16, 7, 7], [16, 1, 5, 5], bias: true,
      stride: Size2D(2), padding: Padding2D(2), groups: 16),
    row(
      "depthwise, two filters per channel", [1, 3, 5, 5], [6, 1, 3, 3], padding: Padding2D(1),
      groups: 3),
  ]

  private static let extremes: [OpCase] = [
    row("of one pixel", [2, 5, 1, 1], [6, 5, 1, 1], bias: true),
    row("3×3 of one pixel", [1, 5, 1, 1], [4, 5, 3, 3], padding: Padding2D(1)),
    row("kernel larger than the image", [1, 3, 3, 2], [4, 3, 5, 5], padding: Padding2D(2)),
    row("kernel as large as the image", [2, 3, 4, 5], [6, 3, 4, 5], bias: true),
  ]

  /// The gradients of a row's images and filters.
  private static func gradients(of row: OpCase) -> [OpCase] {
    guard case .convolution(let convolution) = row.op else { return [] }
    let types = row.operands.map(\.type)
    let (images, filters) = (types[0].shape, types[1].shape)
    guard let result = try? row.op.resultTypes(types)[0] else { return [] }
    let gradient = OperandSpec.uniform(result.shape)
    let name = row.name.dropFirst("convolution ".count)
    return [
      OpCase(
        "gradient of images, \(name)",
        .convolutionInputGradient(
          ConvolutionInputGradient(convolution, images: Size2D(images[2], images[3]))),
        [gradient, row.operands[1]], .accumulation),
      OpCase(
        "gradient of filters, \(name)",
        .convolutionFilterGradient(
          ConvolutionFilterGradient(convolution, kernel: Size2D(filters[2], filters[3]))),
        [row.operands[0], gradient], .accumulation),
    ]
  }

  private static func row(
    _ name: String, _ images: Shape, _ filters: Shape, bias: Bool = false,
    stride: Size2D = Size2D(1), padding: Padding2D = Padding2D(0), dilation: Size2D = Size2D(1),
    groups: Int = 1
  ) -> OpCase {
    let convolution = Convolution(
      stride: stride, padding: padding, dilation: dilation, groups: groups)
    return OpCase(
      "convolution \(name)", .convolution(convolution),
      [.uniform(images), .uniform(filters, -1...1)] + (bias ? [.uniform([filters[0]])] : []),
      .accumulation)
  }
}
