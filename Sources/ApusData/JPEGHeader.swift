import Foundation

/// What the markers of a JPEG file tell before it is decoded (ITU-T T.81, annex B).
struct JPEGHeader {
  var width = 0
  var height = 0
  /// 1 grey, 3 colour, 4 CMYK or YCCK.
  var components = 0

  /// Walks all markers up to the end of the image; a file without that end is truncated.
  ///
  /// The codec itself completes a truncated picture with grey and merely warns.
  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) {
    var offset = 2
    while let marker = Self.nextMarker(in: bytes, from: &offset) {
      switch marker {
      case 0xD9:
        guard components > 0 else {
          throw DatasetError(.corrupt(.jpeg, words: "no frame header"))
        }
        return
      case 0x01, 0xD0...0xD8:
        continue  // without a segment
      default:
        guard offset + 2 <= bytes.count else { throw Self.endsEarly }
        let length = Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
        guard length >= 2 else {
          throw DatasetError(.corrupt(.jpeg, words: "segment length \(length)"))
        }
        guard offset + length <= bytes.count else { throw Self.endsEarly }
        if Self.isFrame(marker) && components == 0 {
          try readFrame(marker, UnsafeBufferPointer(rebasing: bytes[offset..<offset + length]))
        }
        offset += length
      }
    }
    throw Self.endsEarly
  }

  private static var endsEarly: DatasetError {
    DatasetError(.truncated(.jpeg, words: "it ends before its end-of-image marker"))
  }

  /// Start-of-frame markers; C4, C8 and CC in their midst mean something else.
  private static func isFrame(_ marker: UInt8) -> Bool {
    (0xC0...0xCF).contains(marker) && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
  }

  /// The next marker, past entropy-coded data and anything else between segments.
  private static func nextMarker(
    in bytes: UnsafeBufferPointer<UInt8>, from offset: inout Int
  ) -> UInt8? {
    guard let base = bytes.baseAddress else { return nil }
    while offset < bytes.count {
      guard let found = memchr(base + offset, 0xFF, bytes.count - offset) else { break }
      offset = UnsafeRawPointer(found) - UnsafeRawPointer(base)
      while offset < bytes.count && bytes[offset] == 0xFF { offset += 1 }
      guard offset < bytes.count else { break }
      let marker = bytes[offset]
      offset += 1
      if marker != 0 { return marker }  // FF 00 is a stuffed FF
    }
    return nil
  }

  private mutating func readFrame(
    _ marker: UInt8, _ segment: UnsafeBufferPointer<UInt8>
  ) throws(DatasetError) {
    guard segment.count >= 8 else {
      throw DatasetError(.corrupt(.jpeg, words: "short frame header"))
    }
    height = Int(segment[3]) << 8 | Int(segment[4])
    width = Int(segment[5]) << 8 | Int(segment[6])
    components = Int(segment[7])
    if ![0xC0, 0xC1, 0xC2, 0xC9, 0xCA].contains(marker) {
      throw DatasetError(.unsupportedVariant(.jpeg, what: "lossless or hierarchical coding"))
    }
    if segment[2] != 8 {
      throw DatasetError(.unsupportedVariant(.jpeg, what: "\(segment[2])-bit precision"))
    }
    if ![1, 3, 4].contains(components) {
      throw DatasetError(.unsupportedVariant(.jpeg, what: "a number of \(components) channels"))
    }
  }
}
