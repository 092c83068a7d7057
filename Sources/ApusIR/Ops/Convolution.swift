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

/// The gradient of a convolution's images:
/// `dx[n, c, i·stride + k·dilation − top, …] = Σ gradient[n, o, i, …] · filter[o, c, k, …]`.
///
/// Operands: the gradient of the convolution's result `[n, o, …]`, the filters `[o, c/groups, kh, kw]`.
/// - C1: both operands have rank 4 and one floating-point element type.
/// - C2: groups is at least 1 and divides the output channels.
/// - C3: images of the given size are at least one pixel and at most
///   ``TensorType/largestSizeInBytes``.
/// - C4: the gradient has the type of the convolution's result on such images.
/// - W1–W3: see ``SlidingWindow``.
public struct ConvolutionInputGradient: Hashable, Sendable {
  public var convolution: Convolution
  /// The size of the images, which the gradient's does not tell where a stride leaves rows unread.
  public var images: Size2D

  public init(_ convolution: Convolution, images: Size2D) {
    self.convolution = convolution
    self.images = images
  }

  var attributes: String { "\(convolution.attributes), images \(images)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 2...2)
    let (gradient, filters) = (operands[0], operands[1])
    try require(
      gradient.rank == 4 && filters.rank == 4 && gradient.dtype.isFloatingPoint
        && gradient.dtype == filters.dtype, "C1",
      "the gradient and the filters must have rank 4 and one floating-point element type",
      got: "\(gradient) and \(filters)")
    let groups = convolution.groups
    try require(
      groups >= 1 && filters.shape[0] % groups == 0, "C2",
      "groups must be at least 1 and divide the output channels",
      got: "\(groups) groups for \(filters.shape[0]) output channels")
    // As many groups as filters at most: no product can overflow.
    let type = TensorType(
      gradient.dtype,
      [gradient.shape[0], filters.shape[1] * groups, images.height, images.width])
    try requireSize(type, "C3")
    let result = try convolution.resultTypes([type, filters])[0]
    try require(
      gradient == result, "C4", "the gradient must have the type of the convolution's result",
      got: "\(gradient) for \(result)")
    return [type]
  }
}

/// The gradient of a convolution's filters:
/// `dw[o, c, k, …] = Σ x[n, c, i·stride + k·dilation − top, …] · gradient[n, o, i, …]`.
///
/// Operands: the images `[n, c, h, w]`, the gradient of the convolution's result `[n, o, …]`.
/// - C1: both operands have rank 4 and one floating-point element type.
/// - C2: groups is at least 1 and divides the input and the output channels.
/// - C3: kernels of the given size have at least one pixel and the filters at most
///   ``TensorType/largestSizeInBytes``.
/// - C4: the gradient has the type of the convolution's result with such filters.
/// - W1–W3: see ``SlidingWindow``.
public struct ConvolutionFilterGradient: Hashable, Sendable {
  public var convolution: Convolution
  public var kernel: Size2D

  public init(_ convolution: Convolution, kernel: Size2D) {
    self.convolution = convolution
    self.kernel = kernel
  }

  var attributes: String { "\(convolution.attributes), kernel \(kernel)" }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 2...2)
    let (images, gradient) = (operands[0], operands[1])
    try require(
      images.rank == 4 && gradient.rank == 4 && images.dtype.isFloatingPoint
        && images.dtype == gradient.dtype, "C1",
      "the images and the gradient must have rank 4 and one floating-point element type",
      got: "\(images) and \(gradient)")
    let groups = convolution.groups
    try require(
      groups >= 1 && images.shape[1] % groups == 0 && gradient.shape[1] % groups == 0, "C2",
      "groups must be at least 1 and divide the input and the output channels",
      got: "\(groups) groups for \(images.shape[1]) and \(gradient.shape[1]) channels")
    let filters = TensorType(
      images.dtype, [gradient.shape[1], images.shape[1] / groups, kernel.height, kernel.width])
    try requireSize(filters, "C3")
    let result = try convolution.resultTypes([images, filters])[0]
    try require(
      gradient == result, "C4", "the gradient must have the type of the convolution's result",
      got: "\(gradient) for \(result)")
    return [filters]
  }
}
