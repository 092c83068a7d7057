import ApusIR
import ApusRuntime
import Foundation
import Testing

@Suite struct SafetensorsTests {
  private func file(_ header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
    let count = length ?? UInt64(header.utf8.count)
    var bytes = withUnsafeBytes(of: count.littleEndian) { Array($0) }
    bytes += Array(header.utf8)
    for index in 0..<data { bytes.append(UInt8(truncatingIfNeeded: index)) }
    return bytes
  }

  @Test("Metadata and escaped names are read")
  func metadata() throws {
    #expect(try Fixture.open("safetensors-kinds.bin").metadata == ["made by": "make.py \"é\""])
    let header =
      #" {"\u00e9\ud83d\ude00\n\/":{"shape":[ 2 ],"dtype":"U8","data_offsets":[0,2]} }  "#
      .dropFirst()
    let file = try WeightFile(contents: file(String(header), data: 2), path: "x")
    #expect(file.entries.map(\.name) == ["é😀\n/"])
    #expect(try file.tensor(named: "é😀\n/").numbers == [0, 1])
  }

  @Test("Tensors come in the order of their bytes")
  func order() throws {
    let header =
      #"{"b":{"dtype":"I16","shape":[2],"data_offsets":[3,7]},"#
      + #""a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"#
      + #""e":{"dtype":"F32","shape":[0,7],"data_offsets":[3,3]}}"#
    let file = try WeightFile(contents: file(header, data: 7), path: "x")
    #expect(file.entries.map(\.name) == ["a", "e", "b"])
    // Not aligned, therefore copied.
    #expect(try file.tensor(named: "b").numbers == [0x0403, 0x0605])
  }

  @Test("Element types we lack are listed")
  func foreign() throws {
    let file = try Fixture.open("safetensors-foreign.bin")
    #expect(Set(file.entries.map(\.dtypeName)) == ["U16", "float32"])
    #expect(throws: WeightsError.self) { try file.tensor(named: "uint16") }
    #expect(try file.tensor(named: "fine").floats == Fixture.values(0..<4))
  }

  @Test(
    "A header that lies is refused",
    arguments: [
      (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,3]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, 4),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#, 4),
      (#"{"a":{"dtype":"U8","shape":[-3],"data_offsets":[0,3]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[3,0]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[-1,2]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[3.0],"data_offsets":[0,3]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3,3]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[3]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3],"more":1}}"#, 3),
      (#"{"a":{"dtype":"U9","shape":[3],"data_offsets":[0,3]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[03],"data_offsets":[0,3]}}"#, 3),
      (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0),
      (#"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#, 0),
      (#"{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,3]}}"#, 3),
      (#"{"a":{"dtype":"U8","shape":[1e1],"data_offsets":[0,3]}}"#, 3),
      (
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
          + #""b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3
      ),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
          + #""b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#, 3
      ),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
          + #""a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3
      ),
      (#"{"a":{"dtype":"U8","dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, 3),
      (#"{"__metadata__":{"a":1}}"#, 0), (#"{"__metadata__":{"a":"b","a":"c"}}"#, 0),
      (#"{"a":[[[[[[[[[[[[[[[[[[[["#, 0), (#"{"a":{}}"#, 0), (#"{"#, 0), (#"{}}"#, 0), (#"{,}"#, 0),
      ("{\"a\n\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3),
      (#"{"\ud800":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, 3),
      (#"{"\x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, 3),
    ])
  func lies(header: String, data: Int) {
    #expect(reason(file(header, data: data)) != nil)
  }

  @Test("A header longer than the file or than 100 MB is refused", arguments: [3, 27, 60, 63])
  func length(power: UInt64) {
    let fact = reason(file("{}", data: 0, length: 1 << power))
    if power == 3 {
      #expect(fact == .truncated(part: "safetensors header", needs: 8, has: 2))
    } else {
      let rule = "must have at most 100000000 bytes"
      #expect(
        fact == .invalid(part: "safetensors header", rule: rule, got: "\((1 as UInt64) << power)"))
    }
  }

  @Test("Bytes that are no UTF-8 are refused")
  func notText() {
    var bytes = file(#"{"__metadata__":{"a":"b"}}"#, data: 0)
    bytes[bytes.count - 4] = 0xff
    #expect(reason(bytes) != nil)
  }

  @Test("What is written is read back")
  func roundTrip() throws {
    try Fixture.withFolder { folder in
      let path = folder + "/weights"
      var tensors: [(name: String, tensor: HostTensor)] = []
      for dtype in DType.allCases {
        let shape = Shape((0..<Int.random(in: 0...4)).map { _ in Int.random(in: 1...7) })
        tensors.append(("\(dtype) \"\\\n\u{1}é", .random(TensorType(dtype, shape))))
      }
      tensors.append(("empty", .random(TensorType(.float64, [3, 0]))))
      let metadata = ["format": "pt", "\u{7}\"": "\\ 😀"]
      try WeightFile.writeSafetensors(tensors, metadata: metadata, to: path)
      let file = try WeightFile(path: path)
      #expect(file.format == .safetensors)
      #expect(file.metadata == metadata)
      #expect(file.entries.count == tensors.count)
      for (name, tensor) in tensors {
        let read = try file.tensor(named: name)
        #expect(read.type == tensor.type)
        #expect(read.bytes == tensor.bytes)
      }
    }
  }

  @Test("Names that cannot be written are refused, and nothing is left")
  func names() throws {
    try Fixture.withFolder { folder in
      let tensor = HostTensor.random(.init(.float32, [2]))
      for names in [["a", "b", "a"], ["__metadata__"]] {
        let error = #expect(throws: WeightsError.self) {
          try WeightFile.writeSafetensors(names.map { ($0, tensor) }, to: folder + "/a")
        }
        #expect(error?.reason == .nameNotWritable(names[names.count - 1]))
      }
      let remains = try Fixture.contents(of: folder)
      #expect(remains.isEmpty)
    }
  }
}
