/// What a picture may measure, checked from its header before anything is allocated for it.
///
/// A small file can declare a huge picture (a *decompression bomb*).
public enum ImageLimits {
  /// The most pixels of one picture, the number beyond which Pillow refuses to open it.
  public static let pixels = 2 * 89_478_485
  /// The longest side, in pixels.
  public static let side = 1_000_000
  /// The largest file, in bytes.
  public static let fileBytes = 2 << 30

  /// Throws `zeroSized` or `tooLarge` for a picture outside the limits.
  static func check(width: Int, height: Int) throws(DatasetError) {
    if width < 1 || height < 1 { throw DatasetError(.zeroSized(width: width, height: height)) }
    if width > side || height > side || width * height > pixels {
      throw DatasetError(.tooLarge(width: width, height: height))
    }
  }
}
