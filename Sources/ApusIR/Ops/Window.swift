/// A height and a width, in pixels or steps.
public struct Size2D: Hashable, Sendable, CustomStringConvertible {
  public var height: Int
  public var width: Int

  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// A square.
  public init(_ side: Int) { self.init(side, side) }

  public var area: Int { height * width }
  public var description: String { "\(height)×\(width)" }
}

/// Rows and columns added around an image.
public struct Padding2D: Hashable, Sendable, CustomStringConvertible {
  public var top: Int
  public var left: Int
  public var bottom: Int
  public var right: Int

  public init(top: Int, left: Int, bottom: Int, right: Int) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  /// The same on all four sides.
  public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }

  public var description: String {
    Set([top, left, bottom, right]).count == 1
      ? "\(top)" : "[top \(top), left \(left), bottom \(bottom), right \(right)]"
  }
}

/// A window that slides over the last two axes of an image batch.
struct SlidingWindow {
  var kernel: Size2D
  var stride: Size2D
  var padding: Padding2D
  var dilation = Size2D(1)
  var ceilMode = false

  /// The size of the output on images of the given size.
  ///
  /// In ceil mode a last window may hang over the lower right edge, but must begin inside the image
  /// or its upper left padding, as PyTorch defines it.
  ///
  /// - Throws: constraint `W1` (positive kernel, stride and dilation), `W2` (padding not negative),
  ///   `W3` (the padded image holds the kernel, in ceil mode all of it but less than a stride).
  func outputSize(_ input: Size2D) throws(Violation) -> Size2D {
    let limit = 1 << 40
    let positive = [kernel, stride, dilation].flatMap { [$0.height, $0.width] }
    try require(
      positive.allSatisfy { 1 <= $0 && $0 < 1 << 20 }, "W1",
      "kernel, stride and dilation must be at least 1 and below 2^20",
      got: "kernel \(kernel), stride \(stride), dilation \(dilation)")
    try require(
      [padding.top, padding.left, padding.bottom, padding.right].allSatisfy {
        0 <= $0 && $0 < limit
      }, "W2", "padding must be at least 0 and below 2^40", got: "\(padding)")
    let reach = Size2D(
      dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1)
    let padded = Size2D(
      input.height + padding.top + padding.bottom, input.width + padding.left + padding.right)
    // In ceil mode a window may hang over, by less than a stride.
    let slack = ceilMode ? Size2D(stride.height - 1, stride.width - 1) : Size2D(0)
    try require(
      padded.height + slack.height >= reach.height && padded.width + slack.width >= reach.width,
      "W3",
      "the padded image must be at least as large as the kernel",
      got: "image \(padded) with padding, kernel \(reach) with dilation")
    func count(_ padded: Int, _ reach: Int, _ stride: Int, _ inside: Int) -> Int {
      var outputs = (padded - reach + (ceilMode ? stride - 1 : 0)) / stride + 1
      if ceilMode && (outputs - 1) * stride >= inside { outputs -= 1 }
      return outputs
    }
    return Size2D(
      count(padded.height, reach.height, stride.height, input.height + padding.top),
      count(padded.width, reach.width, stride.width, input.width + padding.left))
  }
}
