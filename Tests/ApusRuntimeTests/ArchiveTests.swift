import ApusIR
import ApusRuntime
import Foundation
import Testing

/// NumPy's `.npz` and MXNet's `.params`, read.
@Suite struct ArchiveTests {
  private static let dtypes: [(name: String, dtype: DType)] = [
    ("f4", .float32), ("f8", .float64), ("f2", .float16), ("u1", .uint8), ("i4", .int32),
    ("i1", .int8), ("i8", .int64), ("b1", .bool), ("i2", .int16),
  ]

  @Test("All kinds of numbers are read", arguments: ["npz-kinds.bin", "params-kinds.bin"])
  func kinds(name: String) throws {
    let file = try Fixture.open(name)
    #expect(file.format == (name.hasPrefix("npz") ? .npz : .mxnetParams))
    for (name, dtype) in Self.dtypes {
      let tensor = try file.tensor(named: name)
      #expect(tensor.type == TensorType(dtype, [3, 5]))
      let expected = (0..<15).map { index -> Double in
        let value = Fixture.value(index)
        if dtype == .bool { return value % 3 == 0 ? 1 : 0 }
        return Double(dtype == .uint8 ? value + 48 : value)
      }
      #expect(tensor.numbers == expected)
    }
    let other = try #require(file.entry(named: "u2"))
    #expect(other.type == nil && other.shape == [3, 5] && other.sizeInBytes == 30)
    let error = #expect(throws: WeightsError.self) { try file.tensor(named: "u2") }
    #expect(error?.reason == .unsupportedType(tensor: "u2", dtype: other.dtypeName))
  }

  @Test("An .npz holds scalars, empty arrays, and names with dots and slashes")
  func shapes() throws {
    let file = try Fixture.open("npz-kinds.bin")
    #expect(try file.tensor(named: "scalar").floats == [Float(Fixture.value(0))])
    #expect(try file.tensor(named: "scalar").shape == [])
    #expect(try file.tensor(named: "empty").shape == [0, 4])
    #expect(try file.tensor(named: "layer1.0/weight").floats == Fixture.values(0..<6))
    #expect(file.entry(named: "complex")?.dtypeName == "<c8")
    #expect(try Fixture.open("npz-none.bin").entries.isEmpty)
  }

  @Test("Every version of .params is read", arguments: 0...3)
  func versions(version: Int) throws {
    let file = try Fixture.open("params-v\(version).bin")
    #expect(file.entries.map(\.name) == ["arg:fc1_weight", "aux:bn_moving_mean"])
    let weight = try file.tensor(named: "arg:fc1_weight")
    #expect(weight.shape == [2, 3] && weight.floats == Fixture.values(0..<6))
    let mean = try file.tensor(named: "aux:bn_moving_mean")
    #expect(mean.type == TensorType(.float16, [7]))
    #expect(mean.numbers == Fixture.values(0..<7).map(Double.init))
  }

  @Test("Arrays without names are numbered, and version 3 has scalars")
  func unnamed() throws {
    let file = try Fixture.open("params-unnamed.bin")
    #expect(file.entries.map(\.name) == ["0", "1"])
    #expect(try file.tensor(named: "1").numbers == Fixture.values(0..<3).map(Double.init))
    let scalar = try Fixture.open("params-scalar.bin").tensor(named: "s")
    #expect(scalar.shape == [] && scalar.floats == [Float(Fixture.value(0))])
  }

  @Test("Compressed, big-endian and sparse arrays are refused with the remedy")
  func refused() throws {
    func reason(_ name: String) -> WeightsError.Reason? {
      #expect(throws: WeightsError.self) { try Fixture.open(name) }?.reason
    }
    #expect(
      reason("npz-compressed.bin")
        == .unsupported(
          part: "zip entry a.npy", feature: "compression",
          remedy: "save it with numpy.savez, not numpy.savez_compressed"))
    #expect(
      reason("npz-big.bin")
        == .unsupported(
          part: "a.npy: npy header", feature: "big-endian >f4",
          remedy: "in Python: array.astype(array.dtype.newbyteorder('<'))"))
    #expect(
      reason("params-sparse.bin")
        == .unsupported(
          part: "MXNet params: array 0", feature: "sparse storage (row_sparse)",
          remedy: "in Python: save array.tostype('default')"))
  }

  /// The bytes of numbers, each as wide as its type.
  private func bytes(_ numbers: any FixedWidthInteger...) -> [UInt8] {
    func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
      withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
    return numbers.flatMap { bytes($0) }
  }

  private func rule(_ contents: [UInt8]) -> String? {
    if case .invalid(_, let rule, _)? = reason(contents) { rule } else { nil }
  }

  @Test("Wrong codes, shapes and counts of .params are refused before memory is taken")
  func hostile() {
    func list(_ array: [UInt8], count: UInt64 = 1) -> [UInt8] {
      bytes(UInt64(0x112), UInt64(0), count) + array + [UInt8](repeating: 0, count: 64)
    }
    func array(
      storage: Int32 = 0, rank: UInt32 = 1, _ extents: [Int64] = [1], code: Int32 = 0
    ) -> [UInt8] {
      bytes(UInt32(0xf993_fac9), storage, rank) + extents.flatMap { bytes($0) }
        + bytes(Int32(1), Int32(0), code)
    }
    #expect(rule(list(array(code: 13))) == "its type must have a code from 0 to 12")
    #expect(rule(list(array(code: -1))) == "its type must have a code from 0 to 12")
    #expect(rule(list(array(storage: 7)))?.hasPrefix("its storage must be") == true)
    #expect(rule(list(array(rank: 65))) == "its rank must be at most 64")
    #expect(rule(list(array(rank: .max))) == "its rank must be at most 64")
    #expect(rule(list(array(rank: 0, []))) == "must have values")
    #expect(rule(list(array([-1]))) == "its extents must be at least 0")
    #expect(rule(list(array(rank: 2, [1 << 62, 4]))) == "its shape must be possible")
    #expect(rule(list(bytes(UInt32(0x1234_5678)))) == "its rank must be at most 64")
    for count: UInt64 in [5, 1 << 40, .max] {
      guard case .truncated? = reason(list([], count: count)) else {
        Issue.record("\(count) arrays were believed")
        continue
      }
    }
    #expect(
      reason(list(array([1 << 40])))
        == .truncated(part: "MXNet params: array 0", needs: 1 << 42, has: 64))
  }

  @Test("Names of .params must be UTF-8, short, unique and as many as arrays")
  func names() throws {
    let array = bytes(UInt32(1), UInt32(1), Int32(1), Int32(0), Int32(0), Int32(7))
    func list(_ arrays: Int, _ names: [UInt8]...) -> [UInt8] {
      bytes(UInt64(0x112), UInt64(0), UInt64(arrays))
        + Array(repeating: array, count: arrays).joined() + bytes(UInt64(names.count))
        + names.flatMap { bytes(UInt64($0.count)) + $0 }
    }
    #expect(reason(list(2, [65], [66])) == nil)
    #expect(rule(list(2, [65], [65])) == "names must be unique")
    #expect(rule(list(1, [0xff])) == "must be UTF-8")
    #expect(rule(list(2, [65])) == "must have as many names as arrays (2) or none")
    #expect(
      rule(list(1, [UInt8](repeating: 65, count: 65537))) == "must have at most 65536 bytes")
    #expect(rule(list(1, [65]) + [0]) == "must end after the names")
    guard case .truncated? = reason(Array(list(1, [65]).dropLast(17)) + bytes(UInt64.max)) else {
      Issue.record("a count of names was believed")
      return
    }
  }
}
