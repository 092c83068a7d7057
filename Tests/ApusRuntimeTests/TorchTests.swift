import ApusIR
import ApusRuntime
import Foundation
import Testing

@Suite struct TorchTests {
  @Test(
    "Every element type is read from every format",
    arguments: [
      "zip-kinds.bin", "legacy-kinds.bin", "safetensors-kinds.bin", "zip-protocol4.bin",
      "legacy-protocol4.bin",
    ])
  func kinds(name: String) throws {
    let file = try Fixture.open(name)
    #expect(file.entries.count == DType.allCases.count + 2)
    for dtype in DType.allCases {
      let tensor = try file.tensor(named: dtype.rawValue)
      #expect(tensor.type == TensorType(dtype, [3, 5]))
      let expected = (0..<15).map { index -> Double in
        let value = Fixture.value(index)
        return switch dtype {
        case .uint8: Double(value + 48)
        case .bool: value % 3 == 0 ? 1 : 0
        default: Double(value)
        }
      }
      #expect(tensor.numbers == expected, "\(dtype)")
    }
    #expect(try file.tensor(named: "scalar").shape == [])
    #expect(try file.tensor(named: "scalar").floats == Fixture.values([0]))
    #expect(try file.tensor(named: "empty").shape == [0, 4])
    #expect(try file.tensor(named: "empty").floats.isEmpty)
  }

  @Test("Formats are told apart by content")
  func formats() throws {
    #expect(try Fixture.open("zip-tiny.bin").format == .torchZip)
    #expect(try Fixture.open("zip64.bin").format == .torchZip)
    #expect(try Fixture.open("legacy-tiny.bin").format == .torchLegacy)
    #expect(try Fixture.open("safetensors-tiny.bin").format == .safetensors)
    #expect(WeightFile.Format.torchLegacy.description == "PyTorch legacy")
  }

  @Test(
    "Entries have names, types and sizes in the order of the file",
    arguments: ["zip-tiny.bin", "legacy-tiny.bin", "zip64.bin"])
  func entries(name: String) throws {
    let file = try Fixture.open(name)
    #expect(file.entries.map(\.name) == ["a", "b"])
    #expect(
      file.entries.map(\.type) == [TensorType(.float32, [2, 3]), TensorType(.int64, [2])])
    #expect(file.entries.map(\.sizeInBytes) == [24, 16])
    #expect(file.entries.map(\.dtypeName) == ["float32", "int64"])
    #expect(try file.tensor(named: "a").floats == Fixture.values(0..<6))
    #expect(try file.tensor(named: "b").numbers == [0, 1].map { Double(Fixture.value($0)) })
  }

  @Test("Views become dense row-major tensors", arguments: ["zip-views.bin", "legacy-views.bin"])
  func views(name: String) throws {
    let file = try Fixture.open(name)
    func floats(_ name: String) throws -> [Float] { try file.tensor(named: name).floats }
    let columns = 0..<10
    #expect(try floats("base") == Fixture.values(0..<60))
    #expect(
      try floats("transposed")
        == Fixture.values(columns.flatMap { c in (0..<6).map { $0 * 10 + c } }))
    #expect(try file.tensor(named: "transposed").shape == [10, 6])
    #expect(
      try floats("sliced")
        == Fixture.values((1..<5).flatMap { r in [2, 5, 8].map { r * 10 + $0 } })
    )
    #expect(try floats("offset") == Fixture.values(7..<60))
    #expect(try floats("expanded") == Fixture.values((0..<4).flatMap { [$0, $0, $0] }))
    #expect(try floats("channelsLast") == Fixture.values(0..<120))
    #expect(
      try file.tensor(named: "halves").numbers == (1..<9).map { Double(Fixture.value($0)) })
    #expect(
      try file.tensor(named: "stepped").numbers
        == [0, 2, 4, 6, 8].map { Double(Fixture.value($0)) })
  }

  @Test(
    "A checkpoint's state dict is found, without its wrapping and prefix",
    arguments: ["zip-wrapped.bin", "legacy-wrapped.bin", "zip-model.bin"])
  func wrapped(name: String) throws {
    let file = try Fixture.open(name)
    #expect(
      file.entries.map(\.name) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
        "1.num_batches_tracked",
      ])
    #expect(try file.tensor(named: "0.weight").shape == [3, 2, 3, 3])
    #expect(try file.tensor(named: "0.weight").floats == Fixture.values(0..<54))
    #expect(try file.tensor(named: "1.running_var").floats == Fixture.values(0..<3))
  }

  @Test("Parameters are tensors, and keep their names")
  func parameters() throws {
    let file = try Fixture.open("zip-parameters.bin")
    #expect(file.entries.map(\.name) == ["0.weight", "0.bias", "1.weight", "1.bias"])
    #expect(try file.tensor(named: "1.bias").floats == Fixture.values(0..<3))
  }

  @Test("Element types we lack are listed, and refused only when asked for")
  func foreign() throws {
    let file = try Fixture.open("zip-foreign.bin")
    #expect(file.entries.map(\.type) == [nil, nil, nil, TensorType(.float32, [4])])
    #expect(
      file.entries.map(\.dtypeName)
        == ["complex64", "uint16", "float32, lazily transformed", "float32"])
    #expect(file.entries.map(\.sizeInBytes) == [48, 10, 12, 16])
    #expect(try file.tensor(named: "fine").floats == Fixture.values(0..<4))
    let error = #expect(throws: WeightsError.self) { try file.tensor(named: "complex") }
    #expect(error?.reason == .unsupportedType(tensor: "complex", dtype: "complex64"))
    #expect(throws: WeightsError.self) { try file.tensor(named: "negated") }
    #expect(throws: WeightsError.self) { try file.tensor(named: "nobody") }
  }

  @Test("A dense tensor is a view of the file that outlives the file's value")
  func zeroCopy() throws {
    var tensors: [HostTensor] = []
    do {
      let file = try Fixture.open("zip-tiny.bin")
      tensors = try [file.tensor(named: "a"), file.tensor(named: "a")]
    }
    let addresses = tensors.map { $0.withUnsafeBytes { $0.baseAddress } }
    #expect(addresses[0] == addresses[1])
    #expect(tensors[0].floats == Fixture.values(0..<6))
  }

  @Test("A file of 100 MB is opened in less than 50 ms, without reading it")
  func speed() throws {
    try Fixture.withFolder { folder in
      let path = folder + "/large"
      // A tensor that is a hole in the file system.
      let size = 100 << 20
      let header = #"{"a":{"dtype":"U8","shape":[\#(size)],"data_offsets":[0,\#(size)]}}"#
      var file = try AtomicFile(path: path)
      try file.write(withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) })
      try file.write(header)
      try file.commit()
      #expect(truncate(path, 8 + header.utf8.count + size) == 0)
      let clock = ContinuousClock()
      var opened: WeightFile?
      // The best of several, because other tests run at the same time.
      let times = try (0..<10).map { _ in
        try clock.measure { opened = try WeightFile(path: path) }
      }
      #expect(times.min() ?? .seconds(1) < .milliseconds(50))
      #expect(try opened?.tensor(named: "a").type == TensorType(.uint8, [size]))
    }
  }
}
