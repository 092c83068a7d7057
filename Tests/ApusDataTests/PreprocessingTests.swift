import ApusData
import Foundation
import Testing

/// One row of `preprocessing.txt`.
struct PreprocessingCase: Sendable, CustomTestStringConvertible {
  let file: String
  let preprocessing: Preprocessing
  /// The distance between the values that the fixture keeps.
  let step: Int

  var testDescription: String { stem }

  var stem: String {
    let base = file.prefix { $0 != "." }
    return "\(base)-\(preprocessing.resizeShortSide)-\(preprocessing.crop)-"
      + preprocessing.interpolation.rawValue
  }

  static let all: [PreprocessingCase] = Fixture.rows(of: "preprocessing.txt").compactMap { row in
    guard row.count == 5, let short = Int(row[1]), let crop = Int(row[2]),
      let interpolation = Interpolation(rawValue: row[3]), let step = Int(row[4]),
      let preprocessing = try? Preprocessing(
        resizeShortSide: short, crop: crop, interpolation: interpolation)
    else { return nil }
    return PreprocessingCase(file: row[0], preprocessing: preprocessing, step: step)
  }
}

@Suite("Preprocessing")
struct PreprocessingTests {
  @Test("makes grey as Pillow does")
  func grey() throws {
    // Expected: Pillow 13's convert("L").
    let pixels: [UInt8] = [
      0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 200, 100, 50, 17, 250, 131,
    ]
    let grey = try RGBImage(width: 4, height: 2, pixels: pixels).grey()
    let expected: [UInt8] = [0, 255, 76, 150, 29, 2, 124, 167]
    #expect(grey.pixels == expected.flatMap { [$0, $0, $0] })
    #expect(grey.width == 4 && grey.height == 2)
  }

  @Test("resized and cropped pixels equal torchvision's", arguments: PreprocessingCase.all)
  func pixels(row: PreprocessingCase) throws {
    let image = try ImageFile.decode(path: Fixture.path(row.file)).image
    let ours = try row.preprocessing.resizedAndCropped(image)
    let theirs = try ImageFile.decode(path: Fixture.path("expected/\(row.stem).png")).image
    let difference = distance(ours.pixels, theirs.pixels)
    #expect(difference == (0, 0))
  }

  @Test("normalised values equal torchvision's", arguments: PreprocessingCase.all)
  func values(row: PreprocessingCase) throws {
    let image = try ImageFile.decode(path: Fixture.path(row.file)).image
    let values = try row.preprocessing(image)
    #expect(values.count == row.preprocessing.valueCount)
    let sample = stride(from: 0, to: values.count, by: row.step).map { values[$0] }
    let expected = Fixture.bytes("expected/\(row.stem).f32").withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        Float(bitPattern: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self).littleEndian)
      }
    }
    #expect(sample == expected)
  }

  @Test("there are rows for photographs, padding and both filters")
  func rows() {
    #expect(PreprocessingCase.all.count == 14)
    #expect(PreprocessingCase.all.contains { $0.preprocessing == .imageNet })
  }

  @Test("an image size keeps ImageNet's ratio of 256 to 224")
  func imageSize() throws {
    #expect(try Preprocessing(imageSize: 224) == .imageNet)
    #expect(try Preprocessing(imageSize: 299).resizeShortSide == 342)
    #expect(try Preprocessing(imageSize: 1).resizeShortSide == 1)
    for size in [0, -1, Int.min, Int.max, 7169] {
      #expect(throws: DatasetError(.imageSize(given: size, limit: 7168))) {
        try Preprocessing(imageSize: size)
      }
    }
  }

  @Test("sizes and normalisations that make none are refused")
  func settings() {
    #expect(throws: DatasetError(.imageSize(given: 0, limit: 8192))) {
      try Preprocessing(resizeShortSide: 0, crop: 3)
    }
    #expect(throws: DatasetError(.imageSize(given: 9000, limit: 8192))) {
      try Preprocessing(resizeShortSide: 2, crop: 9000)
    }
    #expect(throws: DatasetError.self) {
      try Preprocessing(resizeShortSide: 2, crop: 3, std: [1, 0, 1])
    }
    #expect(throws: DatasetError.self) {
      try Preprocessing(resizeShortSide: 2, crop: 3, mean: [1, .nan, 1])
    }
  }

  @Test("extreme shapes are resized within bounds, and refused beyond")
  func extremes() throws {
    var generator = SystemRandomNumberGenerator()
    for (width, height) in [(1, 2000), (2000, 1), (3, 1), (1, 1)] {
      let pixels = (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &generator)
      }
      let image = try RGBImage(width: width, height: height, pixels: pixels)
      #expect(try Preprocessing.imageNet(image).count == 3 * 224 * 224)
    }
    let line = try RGBImage(
      width: 1, height: 100_000, pixels: Array(repeating: 7, count: 300_000))
    let refusal = DatasetError(
      .resizedTooLarge(
        width: 1, height: 100_000, resizedWidth: 256, resizedHeight: 25_600_000))
    #expect(throws: refusal) { try Preprocessing.imageNet(line) }
    #expect(refusal.description.contains("256 × 25600000"))
  }

  @Test("a batch's part is written in place, and must have the right size")
  func batch() throws {
    let image = try ImageFile.decode(path: Fixture.path("rgb8.png")).image
    let preprocessing = try Preprocessing(imageSize: 20)
    let count = preprocessing.valueCount
    var batch = [Float](repeating: 99, count: 3 * count)
    try batch.withUnsafeMutableBufferPointer { batch in
      try preprocessing(
        image, into: UnsafeMutableBufferPointer(rebasing: batch[count..<2 * count]))
    }
    #expect(Array(batch[count..<2 * count]) == (try preprocessing(image)))
    #expect(
      batch[..<count].allSatisfy { $0 == 99 } && batch[(2 * count)...].allSatisfy { $0 == 99 })
    #expect(throws: DatasetError(.bufferSize(expected: count, given: 3 * count))) {
      try batch.withUnsafeMutableBufferPointer { try preprocessing(image, into: $0) }
    }
  }
}
