/// The picture formats that are decoded.
public enum ImageFormat: String, Hashable, Sendable, CaseIterable {
  case jpeg
  case png
  case webp

  /// The name in messages.
  public var name: String {
    switch self {
    case .jpeg: "JPEG"
    case .png: "PNG"
    case .webp: "WebP"
    }
  }

  /// The file extensions of the format, in lower case.
  public var extensions: [String] {
    switch self {
    case .jpeg: ["jpg", "jpeg", "jpe", "jfif"]
    case .png: ["png", "apng"]
    case .webp: ["webp"]
    }
  }

  /// The extensions of pictures that are recognised and refused with a message.
  static let refusedExtensions = [
    "gif", "bmp", "dib", "tif", "tiff", "ppm", "pgm", "pbm", "pnm", "jp2", "j2k", "avif", "heic",
    "heif",
  ]

  /// The format of a file by its first bytes, whatever its name; otherwise says what they are.
  static func identify(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) -> ImageFormat {
    func has(_ signature: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + signature.count
        && bytes[offset..<offset + signature.count].elementsEqual(signature)
    }
    func has(_ text: String, at offset: Int = 0) -> Bool { has(Array(text.utf8), at: offset) }

    if has([0xFF, 0xD8, 0xFF]) { return .jpeg }
    if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    if has("RIFF") && has("WEBP", at: 8) { return .webp }
    let refused: String? =
      if has("GIF87a") || has("GIF89a") {
        "GIF"
      } else if has("BM") && has([0, 0, 0, 0], at: 6) {
        "BMP"
      } else if has([0x49, 0x49, 0x2A, 0]) || has([0x4D, 0x4D, 0, 0x2A]) {
        "TIFF"
      } else if has("ftypavif", at: 4) || has("ftypavis", at: 4) {
        "AVIF"
      } else if has("ftyphei", at: 4) || has("ftypmif1", at: 4) || has("ftyphevc", at: 4) {
        "HEIF"
      } else if has("jP  ", at: 4) || has([0xFF, 0x4F, 0xFF, 0x51]) {
        "JPEG 2000"
      } else if bytes.count > 2 && bytes[0] == UInt8(ascii: "P") && (0x31...0x36).contains(bytes[1])
        && [0x20, 0x0A, 0x0D, 0x09].contains(bytes[2])
      {
        "PNM"
      } else {
        nil
      }
    if let refused { throw DatasetError(.unsupportedFormat(name: refused)) }
    throw DatasetError(.notAnImage(content: likeness(of: bytes)))
  }

  /// What the beginning of a file that is no picture looks like, for a message.
  private static func likeness(of bytes: UnsafeBufferPointer<UInt8>) -> String {
    let start = bytes.prefix(32)
    let isText = start.allSatisfy { $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0D].contains($0) }
    if isText && bytes.prefix(16).allSatisfy({ $0 < 0x80 }) {
      let text = String(decoding: bytes.prefix(16), as: UTF8.self)
      return "starts like text: \(text.debugDescription)"
    }
    let known: [(name: String, signature: [UInt8])] = [
      ("a ZIP archive", [0x50, 0x4B, 0x03, 0x04]), ("gzip data", [0x1F, 0x8B]),
      ("a PDF document", [0x25, 0x50, 0x44, 0x46]), ("a program", [0x7F, 0x45, 0x4C, 0x46]),
      ("a NumPy array", [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]),
    ]
    if let match = known.first(where: { start.starts(with: $0.signature) }) {
      return "starts like \(match.name)"
    }
    let digits = Array("0123456789abcdef")
    let hex = bytes.prefix(8).map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }
    return "starts with the bytes " + hex.joined(separator: " ")
  }
}
