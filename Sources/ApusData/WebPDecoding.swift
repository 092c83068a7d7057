import CWebP

/// WebP through libwebp: lossy, lossless, and the first frame of an animation.
enum WebPDecoding {
  static func decode(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) -> RGBImage {
    try checkContainer(bytes)
    var features = WebPBitstreamFeatures()
    try check(WebPGetFeatures(bytes.baseAddress, bytes.count, &features))
    let (width, height) = (Int(features.width), Int(features.height))
    let isAnimation = features.has_animation != 0
    return try RGBImage(width: width, height: height) { pixels throws(DatasetError) in
      if isAnimation {
        try decodeFirstFrame(bytes, width: width, height: height, into: pixels)
      } else {
        try decodeStill(bytes, bytesPerRow: width * 3, into: pixels)
      }
    }
  }

  /// The RIFF header's size must fit the file, as metadata may follow the pixels.
  private static func checkContainer(
    _ bytes: UnsafeBufferPointer<UInt8>
  ) throws(DatasetError) {
    let size = (4..<8).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
    if size + 8 > bytes.count {
      throw DatasetError(
        .truncated(.webp, words: "its header declares \(size + 8) bytes, it has \(bytes.count)"))
    }
  }

  private static func decodeStill(
    _ bytes: UnsafeBufferPointer<UInt8>, bytesPerRow: Int,
    into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) {
    var config = WebPDecoderConfig()
    guard WebPInitDecoderConfig(&config) != 0 else {
      throw DatasetError(.corrupt(.webp, words: "libwebp: another version than expected"))
    }
    config.output.colorspace = MODE_RGB
    config.output.is_external_memory = 1
    config.output.u.RGBA = WebPRGBABuffer(
      rgba: pixels.baseAddress, stride: CInt(bytesPerRow), size: pixels.count)
    defer { WebPFreeDecBuffer(&config.output) }
    try check(WebPDecode(bytes.baseAddress, bytes.count, &config))
  }

  private static func decodeFirstFrame(
    _ bytes: UnsafeBufferPointer<UInt8>, width: Int, height: Int,
    into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) {
    var data = WebPData(bytes: bytes.baseAddress, size: bytes.count)
    guard let decoder = WebPAnimDecoderNew(&data, nil) else {
      throw DatasetError(.corrupt(.webp, words: "libwebp: cannot read the animation"))
    }
    defer { WebPAnimDecoderDelete(decoder) }
    var info = WebPAnimInfo()
    var frame: UnsafeMutablePointer<UInt8>?
    var time: CInt = 0
    guard WebPAnimDecoderGetInfo(decoder, &info) != 0, info.canvas_width == width,
      info.canvas_height == height, WebPAnimDecoderGetNext(decoder, &frame, &time) != 0,
      let frame
    else {
      throw DatasetError(.corrupt(.webp, words: "libwebp: cannot decode the first frame"))
    }
    for index in 0..<width * height {
      pixels[index &* 3] = frame[index &* 4]
      pixels[index &* 3 &+ 1] = frame[index &* 4 &+ 1]
      pixels[index &* 3 &+ 2] = frame[index &* 4 &+ 2]
    }
  }

  private static func check(_ status: VP8StatusCode) throws(DatasetError) {
    switch status {
    case VP8_STATUS_OK: return
    case VP8_STATUS_SUSPENDED, VP8_STATUS_NOT_ENOUGH_DATA:
      throw DatasetError(.truncated(.webp, words: "libwebp: not enough data"))
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      throw DatasetError(.unsupportedVariant(.webp, what: "a feature of this file"))
    case VP8_STATUS_OUT_OF_MEMORY:
      throw DatasetError(.corrupt(.webp, words: "libwebp: out of memory"))
    default:
      throw DatasetError(.corrupt(.webp, words: "libwebp: bitstream error"))
    }
  }
}
