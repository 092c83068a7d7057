import ApusIR
import ApusRuntime
import Foundation
import Testing

@Suite struct NumPyFileTests {
  @Test(
    "Arrays of every element type are read",
    arguments: zip(
      ["f4", "f8", "f2", "i8", "i4", "i2", "i1", "u1", "b1"],
      [
        DType.float32, .float64, .float16, .int64, .int32, .int16, .int8, .uint8, .bool,
      ]))
  func kinds(name: String, dtype: DType) throws {
    let array = try NumPyFile.read(Fixture.path("npy-\(name).npy"))
    #expect(array.type == TensorType(dtype, [3, 5]))
    let expected = (0..<15).map { index -> Double in
      let value = Fixture.value(index)
      return switch dtype {
      case .uint8: Double(value + 48)
      case .bool: value % 3 == 0 ? 1 : 0
      default: Double(value)
      }
    }
    #expect(array.numbers == expected)
  }

  @Test("Versions 2 and 3 are read, and arrays without axes")
  func versions() throws {
    for version in [2, 3] {
      let array = try NumPyFile.read(Fixture.path("npy-version\(version).npy"))
      #expect(array.floats == Fixture.values(0..<15))
    }
    let scalar = try NumPyFile.read(Fixture.path("npy-scalar.npy"))
    #expect(scalar.shape == [])
    #expect(scalar.floats == Fixture.values([0]))
  }

  @Test(
    "What is not read says how to save it instead",
    arguments: [
      ("npy-fortran.npy", "Fortran order"), ("npy-big.npy", "big-endian >f4"),
      ("npy-complex.npy", "element type <c8"), ("npy-object.npy", "element type |O"),
    ])
  func unsupported(name: String, feature: String) throws {
    let error = #expect(throws: WeightsError.self) { try NumPyFile.read(Fixture.path(name)) }
    #expect(error?.description.contains("\(feature) is not supported\n  hint: ") == true)
  }

  private func file(_ header: String, data: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
    for index in 0..<data { bytes.append(UInt8(truncatingIfNeeded: index)) }
    return bytes
  }

  @Test(
    "Headers that lie are refused",
    arguments: [
      "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (-3,), }",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (3.0,), }",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 8), }",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,), }",
      "{'descr': '|u1', 'fortran_order': 0, 'shape': (3,), }",
      "{'descr': '|u1', 'fortran_order': False}", "{'descr': '|u1", "", "{", "[]",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), 'more': 'x'}",
      "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (3,)}",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)} more",
      "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (3,)}",
      "{'descr': __import__('os'), 'fortran_order': False, 'shape': (3,)}",
    ])
  func lies(header: String) {
    #expect(throws: WeightsError.Reason.self) {
      try NumPyFile.read(MappedFile(contents: file(header, data: 3)))
    }
  }

  @Test("A header is a Python literal, however it is spaced")
  func spacing() throws {
    let header = "{ \"shape\":(3 , 1L),\"descr\":'|u1','fortran_order':True ,}  \n"
    #expect(throws: WeightsError.Reason.self) {
      try NumPyFile.read(MappedFile(contents: file(header, data: 3)))
    }
    let rows = header.replacing("True", with: "False")
    let array = try NumPyFile.read(MappedFile(contents: file(rows, data: 3)))
    #expect(array.shape == [3, 1])
    #expect(array.numbers == [0, 1, 2])
  }

  @Test("What is written is read back", arguments: [[], [7], [2, 3], [4, 0, 2], [1, 2, 3, 4]])
  func roundTrip(extents: [Int]) throws {
    try Fixture.withFolder { folder in
      for dtype in DType.allCases {
        let path = folder + "/\(dtype).npy"
        let tensor = HostTensor.random(TensorType(dtype, Shape(extents)))
        if dtype == .bfloat16 {
          #expect(throws: WeightsError.self) { try NumPyFile.write(tensor, to: path) }
          continue
        }
        try NumPyFile.write(tensor, to: path)
        let read = try NumPyFile.read(path)
        #expect(read.type == tensor.type)
        #expect(read.bytes == tensor.bytes)
      }
    }
  }

  @Test("The bytes written are those numpy.save writes")
  func sameBytes() throws {
    try Fixture.withFolder { folder in
      let path = folder + "/a.npy"
      try NumPyFile.write(HostTensor([3, 5], Fixture.values(0..<15)), to: path)
      let written = try Data(contentsOf: URL(fileURLWithPath: path))
      let expected = try Fixture.bytes("npy-f4.npy")
      #expect(Array(written) == expected)
    }
  }
}
