import ApusData
import Foundation
import Testing

@Suite("Decoding")
struct DecodingTests {
  @Test("there are fixtures of every format")
  func fixtures() {
    #expect(Fixture.all.count > 60)
    for format in ImageFormat.allCases {
      #expect(Fixture.all.contains { $0.name.hasSuffix("." + format.extensions[0]) })
    }
  }

  @Test("pixels equal those of Pillow", arguments: Fixture.all)
  func pixels(fixture: Fixture) throws {
    let decoded = try ImageFile.decode(path: Fixture.path(fixture.name))
    #expect(decoded.image.width == fixture.width)
    #expect(decoded.image.height == fixture.height)
    #expect(decoded.warning == nil)
    let difference = distance(
      decoded.image.pixels, Fixture.bytes("expected/\(fixture.name).rgb"))
    #expect(difference == (0, 0))
  }

  @Test("a misnamed picture is decoded by its content, with a warning")
  func misnamed() throws {
    let folder = try TemporaryFolder()
    for (source, name, format) in [
      ("gray.jpg", "cat.png", ImageFormat.jpeg), ("rgb8.png", "cat.JPEG", .png),
      ("lossy.webp", "cat.gif", .webp),
    ] {
      let path = try folder.write(Fixture.bytes(source), to: name)
      let decoded = try ImageFile.decode(path: path)
      #expect(decoded.format == format)
      #expect(decoded.warning == "\(path): is a \(format.name); decoded by its content")
      #expect(decoded.image == (try ImageFile.decode(path: Fixture.path(source)).image))
    }
    for name in ["CAT.JPG", "cat", "cat.data", ".png", "a.png/cat.jfif"] {
      let path = try folder.write(Fixture.bytes("gray.jpg"), to: "plain/" + name)
      #expect(try ImageFile.decode(path: path).warning == nil)
    }
  }

  @Test("a picture must have pixels, and as many as its size says")
  func sampleCount() {
    #expect(throws: DatasetError(.zeroSized(width: 0, height: 3))) {
      try RGBImage(width: 0, height: 3, pixels: [])
    }
    #expect(
      throws: DatasetError(.sampleCount(width: 2, height: 3, expected: 18, given: 17))
    ) {
      try RGBImage(width: 2, height: 3, pixels: Array(repeating: 9, count: 17))
    }
    #expect(throws: DatasetError(.tooLarge(width: .max, height: .max))) {
      try RGBImage(width: .max, height: .max, pixels: [1])
    }
  }
}
