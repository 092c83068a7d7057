/// A 2-D cross-correlation of images `[n, c, h, w]` with filters `[o, c/groups, kh, kw]`, and
/// optionally a bias `[o]`:
/// `y[n, o, i, j] = bias[o] + Σ x[n, c, i·stride + k·dilation − top, …] · filter[o, c, k, …]`.
///
/// - C1: images and filters have rank 4, all operands one floating-point element type.
/// - C2: groups is at least 1 and divides the output channels.
/// - C3: input channels = filter channels × groups.
/// - C4: the bias has one value per output channel.
/// - W1–W3: see ``SlidingWindow``.
public struct Convolution: Hashable, Sendable {
  public var stride: Size2D
  public var padding: Padding2D
  public var dilation: Size2D
  public var groups: Int

  public init(
    stride: Size2D = Size2D(1), padding: Padding2D = Padding2D(0), dilation: Size2D = Size2D(1),
    groups: Int = 1
  ) {
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
  }

  var attributes: String {
    "stride \(stride), padding \(padding)"
      + (dilation == Size2D(1) ? "" : ", dilation \(dilation)")
      + (groups == 1 ? "" : ", groups \(groups)")
  }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 2...3)
    let (images, filters) = (operands[0], operands[1])
    try require(
      images.rank == 4 && filters.rank == 4 && images.dtype.isFloatingPoint
        && operands.allSatisfy { $0.dtype == images.dtype }, "C1",
      "images and filters must have rank 4 and one floating-point element type",
      got: operands.map(\.description).joined(separator: ", "))
    try require(
      groups >= 1 && filters.shape[0] % groups == 0, "C2",
      "groups must be at least 1 and divide the output channels",
      got: "\(groups) groups for \(filters.shape[0]) output channels")
    let (channels, perGroup) = (images.shape[1], filters.shape[1])
    try require(
      channels == perGroup.multipliedReportingOverflow(by: groups).partialValue, "C3",
      "input channels must equal filter channels × groups",
      got: "\(channels) and \(perGroup) × \(groups)",
      hint: channels % perGroup == 0 && filters.shape[0] % (channels / perGroup) == 0
        ? "did you mean groups: \(channels / perGroup)?" : nil)
    if operands.count == 3 {
      try require(
        operands[2].shape == [filters.shape[0]], "C4",
        "the bias must have one value per output channel",
        got: "\(operands[2].shape) for \(filters.shape[0]) output channels")
    }
    let window = SlidingWindow(
      kernel: Size2D(filters.shape[2], filters.shape[3]), stride: stride, padding: padding,
      dilation: dilation)
    let size = try window.outputSize(Size2D(images.shape[2], images.shape[3]))
    let type = TensorType(
      images.dtype, [images.shape[0], filters.shape[0], size.height, size.width])
    try requireSize(type, "C1")
    return [type]
  }
}
