import ApusData
import Foundation
import Testing

@Suite("Bad pictures")
struct BadImageTests {
  private func reason(_ bytes: [UInt8]) throws -> DatasetError.Reason {
    try #require(throws: DatasetError.self) { try ImageFile.decode(bytes) }.reason
  }

  @Test("what is no picture is described by its beginning")
  func notAnImage() throws {
    func text(_ string: String) -> [UInt8] { Array(string.utf8) }
    #expect(try reason([]) == .emptyFile)
    #expect(
      try reason(text("hello, world\nno picture"))
        == .notAnImage(
          content: #"starts like text: "hello, world\nno ""#))
    #expect(
      try reason([0x50, 0x4B, 3, 4, 9, 9]) == .notAnImage(content: "starts like a ZIP archive"))
    #expect(
      try reason([0, 1, 0xFE]) == .notAnImage(content: "starts with the bytes 00 01 fe"))
    for (start, name) in [
      (text("GIF89a"), "GIF"), (text("BM") + [9, 9, 9, 9, 0, 0, 0, 0], "BMP"),
      (text("II*") + [0], "TIFF"), (text("MM") + [0, 42], "TIFF"), (text("P6 1 1 255 x"), "PNM"),
      ([0, 0, 0, 32] + text("ftypavif"), "AVIF"), ([0, 0, 0, 32] + text("ftypheic"), "HEIF"),
      ([0, 0, 0, 12] + text("jP  "), "JPEG 2000"),
    ] {
      #expect(try reason(start) == .unsupportedFormat(name: name))
    }
    #expect(
      DatasetError(.unsupportedFormat(name: "GIF"), path: "cat.gif").description
        == "cat.gif: GIF is not supported; convert it to JPEG, PNG or WebP")
  }

  @Test("files that cannot be read are said so", .timeLimit(.minutes(1)))
  func files() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path + "/pipe.jpg"
    try #require(mkfifo(pipe, 0o600) == 0)
    for (path, reason) in [
      (folder.path + "/no.png", DatasetError.Reason.unreadable(words: "No such file or directory")),
      (folder.path, .notAFile(kind: "a folder")), (pipe, .notAFile(kind: "a pipe")),
      ("/dev/zero", .notAFile(kind: "a device or socket")),
      (try folder.write([], to: "void.png"), .emptyFile),
    ] {
      #expect(throws: DatasetError(reason, path: path)) { try ImageFile.decode(path: path) }
      #expect(DatasetError(reason, path: path).description.hasPrefix(path + ": "))
    }
  }

  @Test("pictures that are declared too large or without pixels are refused at the header")
  func sizes() throws {
    func sized(_ width: Int, _ height: Int) -> [[UInt8]] {
      [jpeg(width, height), png(width, height)]
    }
    for bytes in sized(65500, 65500) {
      #expect(try reason(bytes) == .tooLarge(width: 65500, height: 65500))
    }
    #expect(try reason(png(2_000_000, 1)) == .tooLarge(width: 2_000_000, height: 1))
    #expect(
      try reason(png(0x7FFF_FFFF, 0x7FFF_FFFF))
        == .tooLarge(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF))
    #expect(
      try reason(losslessWebP(16384, 16384)) == .tooLarge(width: 16384, height: 16384))
    for bytes in sized(0, 5) { #expect(try reason(bytes) == .zeroSized(width: 0, height: 5)) }
    for bytes in sized(5, 0) { #expect(try reason(bytes) == .zeroSized(width: 5, height: 0)) }
    #expect(
      try reason(png(0x8000_0001, 5)) == .tooLarge(width: 0x8000_0001, height: 5))
  }

  @Test("variants that the codec lacks are named")
  func variants() throws {
    var twelveBits = Fixture.bytes("gray.jpg")
    var lossless = twelveBits
    var twoChannels = twelveBits
    let frame = try frameOffset(twelveBits)
    twelveBits[frame + 4] = 12
    lossless[frame + 1] = 0xC3
    twoChannels[frame + 9] = 2
    #expect(try reason(twelveBits) == .unsupportedVariant(.jpeg, what: "12-bit precision"))
    #expect(
      try reason(lossless)
        == .unsupportedVariant(.jpeg, what: "lossless or hierarchical coding"))
    #expect(
      try reason(twoChannels) == .unsupportedVariant(.jpeg, what: "a number of 2 channels"))
  }

  @Test("a truncated picture is an error at every length", arguments: Fixture.all)
  func truncated(fixture: Fixture) throws {
    let bytes = Fixture.bytes(fixture.name)
    // What may be missing: stray bytes after a JPEG, the last chunk of a PNG with its checksums.
    var complete = bytes.count
    if fixture.name == "stray-bytes.jpg" { complete -= 4 }
    if fixture.name.hasSuffix(".png") { complete = try imageDataEnd(bytes) }
    for length in 0..<complete {
      let error = #expect(throws: DatasetError.self, "\(length) bytes of \(bytes.count)") {
        try ImageFile.decode(Array(bytes[..<length]))
      }
      guard length > 20, let error else { continue }
      switch error.reason {
      case .truncated, .corrupt: break
      default: Issue.record("\(length) bytes: \(error)")
      }
    }
  }

  @Test(
    "a damaged picture gives pixels or an error, never a crash", .timeLimit(.minutes(5)),
    arguments: Fixture.all)
  func damaged(fixture: Fixture) throws {
    let bytes = Fixture.bytes(fixture.name)
    var generator = SplitMix64(state: UInt64(bytes.count) &* 0x9E37_79B9)
    var refused = 0
    for _ in 0..<100 {
      var mutant = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let offset = Int.random(in: 0..<mutant.count, using: &generator)
        mutant[offset] = UInt8.random(in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) {
        mutant.removeLast(Int.random(in: 0..<mutant.count, using: &generator))
      }
      do {
        let image = try ImageFile.decode(mutant).image
        #expect(image.pixels.count == image.width * image.height * 3)
      } catch {
        refused += 1
        #expect(!error.description.isEmpty)
      }
    }
    #expect(refused > 0)
  }

  // MARK: Headers

  private func bigEndian(_ value: Int, _ bytes: Int) -> [UInt8] {
    (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  private func frameOffset(_ jpeg: [UInt8]) throws -> Int {
    try #require(jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
  }

  private func jpeg(_ width: Int, _ height: Int) -> [UInt8] {
    var bytes = Fixture.bytes("color444.jpg")
    if let frame = try? frameOffset(bytes) {
      bytes.replaceSubrange(
        frame + 5..<frame + 9, with: bigEndian(height, 2) + bigEndian(width, 2))
    }
    return bytes
  }

  private func png(_ width: Int, _ height: Int) -> [UInt8] {
    var header = Array("IHDR".utf8) + bigEndian(width, 4) + bigEndian(height, 4)
    header += [8, 2, 0, 0, 0]
    let data = Array("IDAT".utf8)
    return Array(Fixture.bytes("rgb8.png")[..<8]) + bigEndian(13, 4) + header
      + bigEndian(checksum(header), 4) + bigEndian(0, 4) + data + bigEndian(checksum(data), 4)
  }

  private func losslessWebP(_ width: Int, _ height: Int) -> [UInt8] {
    let bits = (width - 1) | (height - 1) << 14
    let header = [0x2F] + bigEndian(bits, 4).reversed() + [UInt8](repeating: 0, count: 27)
    return Array("RIFF".utf8) + bigEndian(header.count + 12, 4).reversed() + Array("WEBP".utf8)
      + Array("VP8L".utf8) + bigEndian(header.count, 4).reversed() + header
  }

  /// The end of the last chunk of pixels, without its checksum and the chunks that follow.
  private func imageDataEnd(_ png: [UInt8]) throws -> Int {
    var (offset, end) = (8, 0)
    while offset + 12 <= png.count {
      let length = png[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      if png[offset + 4..<offset + 8].elementsEqual("IDAT".utf8) { end = offset + 8 + length }
      offset += length + 12
    }
    try #require(end > 0)
    return end
  }

  /// The CRC-32 of a PNG chunk.
  private func checksum(_ bytes: [UInt8]) -> Int {
    var remainder: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      remainder ^= UInt32(byte)
      for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return Int(~remainder)
  }
}

/// A generator whose numbers are the same on every run (Steele, Lea, Flood, 2014).
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
