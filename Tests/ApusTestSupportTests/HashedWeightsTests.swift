import ApusIR
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

@Suite struct HashedWeightsTests {
  /// One line of `Fixtures/hashed-values.txt`, which `Fixtures/make.py` writes.
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let shape: Shape
    let sum: UInt64
    let samples: [(index: Int, bits: UInt32)]

    var testDescription: String { "\(name) \(shape)" }

    init(_ line: Substring) throws {
      let words = line.split(separator: " ")
      name = String(try #require(words.first))
      shape = Shape(try words[1].split(separator: "x").map { try #require(Int($0)) })
      sum = try #require(UInt64(words[2], radix: 16))
      samples = try words[3...].map { word in
        let parts = word.split(separator: ":")
        return (try #require(Int(parts[0])), try #require(UInt32(parts[1], radix: 16)))
      }
    }

    static func all() throws -> [Row] {
      let url = try #require(
        Bundle.module.url(
          forResource: "hashed-values", withExtension: "txt", subdirectory: "Fixtures")
      )
      return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map(Row.init)
    }
  }

  @Test("every value equals Python's, bit for bit", arguments: try Row.all())
  func equalsPython(row: Row) {
    let values =
      row.name == "images"
      ? HashedWeights.images(batch: row.shape[0], size: row.shape[2]).floats
      : HashedWeights.values(path: row.name, shape: row.shape)
    #expect(values.count == row.shape.elementCount)
    for sample in row.samples {
      #expect(values[sample.index].bitPattern == sample.bits, "element \(sample.index)")
    }
    #expect(values.reduce(0) { $0 + UInt64($1.bitPattern) } == row.sum)
  }

  @Test("a tensor holds the same values as the array, and has the shape asked for")
  func tensorEqualsValues() {
    let tensor = HashedWeights.tensor(path: "layer1.0.conv1.weight", shape: [8, 4, 3, 3])
    #expect(tensor.type == TensorType(.float32, [8, 4, 3, 3]))
    #expect(
      tensor.floats == HashedWeights.values(path: "layer1.0.conv1.weight", shape: [8, 4, 3, 3]))
  }

  @Test("an image does not depend on how many follow it, and no two are alike")
  func imagesAreIndependent() {
    let three = HashedWeights.images(batch: 3, size: 40)
    let count = 3 * 40 * 40
    #expect(HashedWeights.images(batch: 1, size: 40).floats == Array(three.floats[..<count]))
    #expect(three.floats[..<count] != three.floats[count..<2 * count])
  }
}
