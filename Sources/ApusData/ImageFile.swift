import ApusRuntime

/// A picture read from a file.
public struct DecodedImage: Hashable, Sendable {
  public let image: RGBImage
  /// The format of the content.
  public let format: ImageFormat
  /// What is odd about the file though it was decoded, such as a misleading extension.
  public let warning: String?
}

/// Reads picture files: JPEG, PNG and WebP, told apart by content.
///
/// The pixels are those of Pillow's `Image.open(path).convert("RGB")`: alpha is dropped, the
/// first frame of an animation is taken, 16-bit grey saturates at 255 (other 16-bit samples lose
/// their low byte), and neither EXIF rotation nor colour profiles are applied.
public enum ImageFile {
  /// Decodes the picture at `path`; every error names the path.
  public static func decode(path: String) throws(DatasetError) -> DecodedImage {
    do {
      let bytes = try FileContent.read(path)
      let (image, format) = try decode(bytes)
      return DecodedImage(
        image: image, format: format, warning: misnaming(of: path, holding: format))
    } catch {
      throw error.at(path)
    }
  }

  /// Decodes the bytes of a picture file.
  public static func decode(
    _ bytes: [UInt8]
  ) throws(DatasetError) -> (image: RGBImage, format: ImageFormat) {
    try bytes.withUnsafeBufferPointer { bytes throws(DatasetError) in
      guard !bytes.isEmpty else { throw DatasetError(.emptyFile) }
      let format = try ImageFormat.identify(bytes)
      let image =
        switch format {
        case .jpeg: try JPEGDecoding.decode(bytes)
        case .png: try PNGDecoding.decode(bytes)
        case .webp: try WebPDecoding.decode(bytes)
        }
      return (image, format)
    }
  }

  /// The extension of the last component of `path`, in lower case; empty without one.
  static func pathExtension(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }

  private static func misnaming(of path: String, holding format: ImageFormat) -> String? {
    let named = pathExtension(of: path)
    let promised =
      ImageFormat.allCases.flatMap(\.extensions) + ImageFormat.refusedExtensions
    guard promised.contains(named), !format.extensions.contains(named) else { return nil }
    return "\(path.printable): is a \(format.name); decoded by its content"
  }
}
