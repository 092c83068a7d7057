import ApusIR
import ApusRuntime
import Foundation
import Testing

/// What is written is read again, bit for bit.
@Suite struct WeightWriterTests {
  static let formats: [WeightFile.Format] = [.safetensors, .torchZip, .npz, .mxnetParams]

  private func contents(for format: WeightFile.Format) -> [WeightFile.Content] {
    var contents = DType.allCases
      .filter { format != .npz || $0 != .bfloat16 }
      .map { WeightFile.Content("\($0)", .random(TensorType($0, [3, 5]))) }
    contents.append(.init("layer1.0/é \"weight\"", .random(TensorType(.float32, [2, 1, 7]))))
    contents.append(.init("empty", .random(TensorType(.float32, [0, 4]))))
    if format != .mxnetParams {
      contents.append(.init("scalar", .random(TensorType(.int64, []))))
    }
    return contents
  }

  @Test("Random tensors of all types survive every format", arguments: formats)
  func roundTrip(format: WeightFile.Format) throws {
    try Fixture.withFolder { folder in
      let contents = contents(for: format)
      let path = folder + "/file"
      // The second time replaces the first.
      for _ in 0..<2 { try WeightFile.write(contents, as: format, to: path) }
      #expect(try Fixture.contents(of: folder) == ["file"])
      let file = try WeightFile(path: path)
      #expect(file.format == format)
      #expect(Set(file.entries.map(\.name)) == Set(contents.map(\.name)))
      for content in contents {
        let tensor = try file.tensor(named: content.name)
        #expect(try tensor.isIdentical(to: content.load()), "\(content.name)")
      }
    }
  }

  @Test("A file may be written over itself, from itself", arguments: formats)
  func inPlace(format: WeightFile.Format) throws {
    try Fixture.withFolder { folder in
      let path = folder + "/file"
      let contents = contents(for: format)
      try WeightFile.write(contents, as: format, to: path)
      let file = try WeightFile(path: path)
      var again: [WeightFile.Content] = []
      for content in contents.reversed() {
        again.append(try file.content(content.name, as: content.name + "2"))
      }
      try WeightFile.write(again, as: format, to: path)
      let second = try WeightFile(path: path)
      for content in contents {
        let tensor = try second.tensor(named: content.name + "2")
        #expect(try tensor.isIdentical(to: content.load()))
      }
    }
  }

  @Test("What a format cannot hold is refused, and nothing is written")
  func notWritable() throws {
    try Fixture.withFolder { folder in
      func reason(
        _ contents: [WeightFile.Content], _ format: WeightFile.Format
      ) -> WeightsError.Reason? {
        #expect(throws: WeightsError.self) {
          try WeightFile.write(contents, as: format, to: folder + "/file")
        }?.reason
      }
      let half = WeightFile.Content("h", .random(TensorType(.bfloat16, [2])))
      let scalar = WeightFile.Content("s", .random(TensorType(.int64, [])))
      guard case .notWritable("h", half.type, .npz, _)? = reason([half], .npz),
        case .notWritable("s", scalar.type, .mxnetParams, _)? = reason([scalar], .mxnetParams),
        case .unsupported? = reason([half], .torchLegacy)
      else {
        Issue.record("something was written")
        return
      }
      for format in Self.formats {
        #expect(reason([half, half], format) == .nameNotWritable("h"))
      }
      let left = try Fixture.contents(of: folder)
      #expect(left.isEmpty)
    }
  }

  @Test("An error of a source leaves nothing behind", arguments: formats)
  func failingSource(format: WeightFile.Format) throws {
    try Fixture.withFolder { folder in
      let failure = WeightsError(path: "source", reason: .torchScript)
      let fine = WeightFile.Content("a", .random(TensorType(.float32, [4])))
      let bad = WeightFile.Content("b", fine.type) { () throws(WeightsError) in throw failure }
      let error = #expect(throws: WeightsError.self) {
        try WeightFile.write([fine, bad], as: format, to: folder + "/file")
      }
      #expect(error == failure)
      let left = try Fixture.contents(of: folder)
      #expect(left.isEmpty)
    }
  }

  @Test("Tensors in zip archives begin at multiples of 64 bytes")
  func alignment() throws {
    try Fixture.withFolder { folder in
      for format in [WeightFile.Format.torchZip, .npz] {
        let names = (0..<40).map { String(repeating: "n", count: $0 * 3 + 1) }
        try WeightFile.write(
          names.map { .init($0, .random(TensorType(.float32, [Int.random(in: 1...50)]))) },
          as: format, to: folder + "/file")
        let file = try WeightFile(path: folder + "/file")
        for name in names { #expect(try file.tensor(named: name).offsetInBytes % 64 == 0) }
      }
    }
  }

  @Test("Archives with sizes and offsets beyond their 32-bit fields are read", arguments: [1, 700])
  func zip64(largest: UInt64) throws {
    try Fixture.withFolder { folder in
      var writer = try ZipWriter(path: folder + "/file", largest: largest)
      let array = try Fixture.bytes("npy-f4.npy")
      for index in 0..<9 { try writer.add("\(index).npy", array) }
      try writer.commit()
      let file = try WeightFile(path: folder + "/file")
      #expect(file.entries.count == 9)
      #expect(try file.tensor(named: "8").floats == Fixture.values(0..<15))
    }
  }

  @Test("Archives of more than 65,535 entries are read")
  func manyEntries() throws {
    try Fixture.withFolder { folder in
      let tensor = HostTensor.random(TensorType(.uint8, [1]))
      try WeightFile.write(
        (0..<66_000).map { .init("\($0)", tensor) }, as: .npz, to: folder + "/file")
      let file = try WeightFile(path: folder + "/file")
      #expect(file.entries.count == 66_000)
      #expect(try file.tensor(named: "65999").isIdentical(to: tensor))
    }
  }

  @Test("A file's extension says the format to write")
  func extensions() {
    typealias Format = WeightFile.Format
    #expect(Format(extensionOf: "a/b.c/x.PTH") == .torchZip)
    #expect(Format(extensionOf: "x.pt") == .torchZip)
    #expect(Format(extensionOf: "x.safetensors") == .safetensors)
    #expect(Format(extensionOf: "x.npz") == .npz)
    #expect(Format(extensionOf: "resnet-0000.params") == .mxnetParams)
    for name in ["x", "x.bin", "a.npz/x", "", ".", "x.pth~"] {
      #expect(Format(extensionOf: name) == nil)
    }
  }
}
