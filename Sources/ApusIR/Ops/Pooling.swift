/// The maximum or average of each window of images `[n, c, h, w]`.
///
/// - C1: images have rank 4 and floating-point elements.
/// - C2: padding is smaller than the kernel, so that every window touches the image.
/// - W1–W3: see ``SlidingWindow``.
public struct Pool: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// The largest element of the window; padding is never chosen.
    case max
    /// The mean of the window. Where `countsPadding`, padding counts as zeros, but what hangs over
    /// the padded image in ceil mode does not count (PyTorch's `count_include_pad`).
    case average(countsPadding: Bool)

    public var name: String {
      switch self {
      case .max: "maxPool"
      case .average: "averagePool"
      }
    }
  }

  public var kind: Kind
  public var kernel: Size2D
  public var stride: Size2D
  public var padding: Padding2D
  /// Whether a last window may hang over the lower right edge (Caffe, and PyTorch's `ceil_mode`).
  public var ceilMode: Bool

  public init(
    _ kind: Kind, kernel: Size2D, stride: Size2D, padding: Padding2D = Padding2D(0),
    ceilMode: Bool = false
  ) {
    self.kind = kind
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.ceilMode = ceilMode
  }

  var attributes: String {
    "kernel \(kernel), stride \(stride), padding \(padding)" + (ceilMode ? ", ceil" : "")
      + (kind == .average(countsPadding: true) ? ", counts padding" : "")
  }

  /// The padding below and to the right that makes the windows fit exactly: what is asked for, plus
  /// what hangs over in ceil mode, less what no window reaches.
  public func effectivePadding(input: Shape, output: Shape) -> Padding2D {
    Padding2D(
      top: padding.top, left: padding.left,
      bottom: (output[2] - 1) * stride.height + kernel.height - input[2] - padding.top,
      right: (output[3] - 1) * stride.width + kernel.width - input[3] - padding.left)
  }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    try requireCount(operands, 1...1)
    let images = operands[0]
    try require(
      images.rank == 4 && images.dtype.isFloatingPoint, "C1",
      "images must have rank 4 and floating-point elements", got: "\(images)")
    let window = SlidingWindow(
      kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
    let size = try window.outputSize(Size2D(images.shape[2], images.shape[3]))
    try require(
      max(padding.top, padding.bottom) < kernel.height
        && max(padding.left, padding.right) < kernel.width, "C2",
      "padding must be smaller than the kernel", got: "padding \(padding), kernel \(kernel)")
    let type = TensorType(
      images.dtype, [images.shape[0], images.shape[1], size.height, size.width])
    try requireSize(type, "C1")
    return [type]
  }
}

/// The gradient of a pooling's images.
///
/// Operands: of a maximum the images `[n, c, h, w]`, then for both kinds the gradient of the pooling's
/// result. The gradient of a maximum goes to the first of the window's largest elements, row by row,
/// as in PyTorch; NaN counts as the largest. That of an average is shared evenly by what it was
/// divided by.
/// - C1: operands have rank 4 and one floating-point element type.
/// - C2: the images have the given size, at least one pixel.
/// - C3: the gradient has the type of the pooling's result on such images.
/// - C4: the pooling itself is possible: see ``Pool``.
/// - W1–W3: see ``SlidingWindow``.
public struct PoolGradient: Hashable, Sendable {
  public var pool: Pool
  public var images: Size2D

  public init(_ pool: Pool, images: Size2D) {
    self.pool = pool
    self.images = images
  }

  var attributes: String { "\(pool.attributes), images \(images)" }

  /// Whether the images are an operand.
  public var readsImages: Bool { pool.kind == .max }

  func resultTypes(_ operands: [TensorType]) throws(Violation) -> [TensorType] {
    let count = readsImages ? 2 : 1
    try requireCount(operands, count...count)
    let gradient = operands[count - 1]
    try require(
      operands.allSatisfy { $0.rank == 4 && $0.dtype == gradient.dtype }
        && gradient.dtype.isFloatingPoint, "C1",
      "operands must have rank 4 and one floating-point element type",
      got: operands.map(\.description).joined(separator: ", "))
    let type = TensorType(
      gradient.dtype, [gradient.shape[0], gradient.shape[1], images.height, images.width])
    try require(
      images.height >= 1 && images.width >= 1 && (!readsImages || operands[0] == type), "C2",
      "images must be \(type) with at least one pixel", got: "\(operands[0])")
    let result = try pool.gradientType(type)
    try require(
      gradient == result, "C3", "the gradient must have the type of the pooling's result",
      got: "\(gradient) for \(result)")
    return [type]
  }
}

extension Pool {
  /// What ``resultTypes(_:)`` gives, with its own constraints under one number.
  fileprivate func gradientType(_ images: TensorType) throws(Violation) -> TensorType {
    do throws(Violation) {
      return try resultTypes([images])[0]
    } catch {
      if error.constraint.hasPrefix("W") { throw error }
      throw Violation(constraint: "C4", requirement: error.requirement, given: error.given)
    }
  }
}
