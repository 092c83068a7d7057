import CTurboJPEG

/// JPEG through libjpeg-turbo, with the accurate transform and smooth chroma upsampling.
enum JPEGDecoding {
  static func decode(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) -> RGBImage {
    let header = try JPEGHeader(bytes)
    let (width, height) = (header.width, header.height)
    return try RGBImage(width: width, height: height) { pixels throws(DatasetError) in
      if header.components == 4 {
        var inks = [UInt8](unsafeUninitializedCapacity: width * height * 4) {
          $1 = width * height * 4
        }
        try inks.withUnsafeMutableBufferPointer { inks throws(DatasetError) in
          try decompress(bytes, width, height, TJPF_CMYK, bytesPerRow: width * 4, into: inks)
          convertInvertedCMYK(UnsafeBufferPointer(inks), into: pixels)
        }
      } else {
        try decompress(bytes, width, height, TJPF_RGB, bytesPerRow: width * 3, into: pixels)
      }
    }
  }

  private static func decompress(
    _ bytes: UnsafeBufferPointer<UInt8>, _ width: Int, _ height: Int, _ format: TJPF,
    bytesPerRow: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) {
    guard let decoder = tjInitDecompress() else {
      throw DatasetError(.corrupt(.jpeg, words: "libjpeg-turbo: out of memory"))
    }
    defer { tjDestroy(decoder) }
    let status = tjDecompress2(
      decoder, bytes.baseAddress, UInt(bytes.count), pixels.baseAddress, CInt(width),
      CInt(bytesPerRow), CInt(height), CInt(format.rawValue),
      TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
    guard status != 0 else { return }
    let words = tjGetErrorStr2(decoder).map { String(cString: $0) } ?? "unknown error"
    if words.contains("Premature end of JPEG file") {
      throw DatasetError(.truncated(.jpeg, words: "libjpeg-turbo: \(words)"))
    }
    // Other warnings (stray bytes, a damaged block) leave a picture, as they do in Pillow.
    if tjGetErrorCode(decoder) != CInt(TJERR_WARNING.rawValue) {
      throw DatasetError(.corrupt(.jpeg, words: "libjpeg-turbo: \(words)"))
    }
  }

  /// Adobe's inverted inks to RGB by Pillow's formula, `rgb = (255 - k) - cmy * (255 - k) / 255`.
  private static func convertInvertedCMYK(
    _ inks: UnsafeBufferPointer<UInt8>, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) {
    var (source, target) = (0, 0)
    while target < pixels.count {
      let light = Int32(inks[source + 3])  // 255 - k
      for channel in 0..<3 {
        let product = (255 &- Int32(inks[source &+ channel])) &* light &+ 128
        let rounded = ((product >> 8) &+ product) >> 8
        pixels[target &+ channel] = UInt8(clamping: light &- rounded)
      }
      source &+= 4
      target &+= 3
    }
  }
}
