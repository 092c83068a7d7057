import CPNG

/// PNG through libpng.
enum PNGDecoding {
  static func decode(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) -> RGBImage {
    try checkSize(bytes)
    // On the heap: the file holds the address of its own error state.
    let file = UnsafeMutablePointer<apus_png>.allocate(capacity: 1)
    defer { file.deallocate() }
    let isOpen = apus_png_open(file, bytes.baseAddress, bytes.count) != 0
    defer { apus_png_close(file) }
    guard isOpen else { throw error(of: file) }
    let (width, height) = (Int(file.pointee.width), Int(file.pointee.height))
    let isGrey16 =
      file.pointee.colorType == PNG_COLOR_TYPE_GRAY && file.pointee.bitDepth == 16
    return try RGBImage(width: width, height: height) { pixels throws(DatasetError) in
      if isGrey16 {
        var levels = [UInt16](unsafeUninitializedCapacity: width * height) {
          $1 = width * height
        }
        try levels.withUnsafeMutableBufferPointer { levels throws(DatasetError) in
          guard apus_png_read(file, levels.baseAddress, width * 2) != 0 else {
            throw error(of: file)
          }
        }
        saturate(levels, into: pixels)
      } else {
        guard apus_png_read(file, pixels.baseAddress, width * 3) != 0 else {
          throw error(of: file)
        }
      }
    }
  }

  /// libpng says no more of an impossible size than that the header is invalid.
  private static func checkSize(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) {
    guard bytes.count >= 24, bytes[12..<16].elementsEqual("IHDR".utf8) else { return }
    func number(at offset: Int) -> Int {
      bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    try ImageLimits.check(width: number(at: 16), height: number(at: 20))
  }

  private static func error(of file: UnsafeMutablePointer<apus_png>) -> DatasetError {
    let words = withUnsafeBytes(of: file.pointee.error) { text in
      String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
    if file.pointee.endedEarly != 0 { return DatasetError(.truncated(.png, words: words)) }
    return DatasetError(.corrupt(.png, words: "libpng: \(words)"))
  }

  /// 16-bit grey to RGB as Pillow's mode `I;16` is converted: levels above 255 are white.
  private static func saturate(
    _ levels: [UInt16], into pixels: UnsafeMutableBufferPointer<UInt8>
  ) {
    levels.withUnsafeBufferPointer { levels in
      for index in 0..<levels.count {
        let level = UInt8(clamping: levels[index])
        pixels[index &* 3] = level
        pixels[index &* 3 &+ 1] = level
        pixels[index &* 3 &+ 2] = level
      }
    }
  }
}
