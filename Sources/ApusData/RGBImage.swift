/// A picture of 8-bit red, green and blue, interleaved, rows from top to bottom: `[h, w, 3]`.
public struct RGBImage: Hashable, Sendable {
  /// Pixels per row, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  /// The `height * width * 3` samples.
  public let pixels: [UInt8]

  /// A picture of given samples; throws `zeroSized`, `tooLarge` or `sampleCount`.
  public init(width: Int, height: Int, pixels: [UInt8]) throws(DatasetError) {
    let count = try Self.sampleCount(width: width, height: height)
    if pixels.count != count {
      throw DatasetError(
        .sampleCount(width: width, height: height, expected: count, given: pixels.count))
    }
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// A picture whose samples `fill` must all write, in memory that is not cleared before.
  package init(
    width: Int, height: Int,
    filledBy fill: (UnsafeMutableBufferPointer<UInt8>) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    let count = try Self.sampleCount(width: width, height: height)
    var pixels = [UInt8](unsafeUninitializedCapacity: count) { $1 = count }
    try pixels.withUnsafeMutableBufferPointer { samples throws(DatasetError) in
      try fill(samples)
    }
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// The samples of a picture of this size, checked against `ImageLimits`.
  static func sampleCount(width: Int, height: Int) throws(DatasetError) -> Int {
    try ImageLimits.check(width: width, height: height)
    return width * height * 3
  }
}

extension RGBImage {
  /// The picture in grey, all channels equal, as Pillow's `convert("L")` weighs them
  /// (ITU-R BT.601 luma in 16 fractional bits).
  public func grey() throws(DatasetError) -> RGBImage {
    var grey = pixels
    for start in stride(from: 0, to: pixels.count - 2, by: 3) {
      let (red, green, blue) = (
        UInt32(pixels[start]), UInt32(pixels[start + 1]), UInt32(pixels[start + 2])
      )
      let luma = UInt8((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)
      (grey[start], grey[start + 1], grey[start + 2]) = (luma, luma, luma)
    }
    return try RGBImage(width: width, height: height, pixels: grey)
  }
}
