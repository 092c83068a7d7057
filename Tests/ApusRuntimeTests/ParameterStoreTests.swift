import ApusIR
import ApusRuntime
import Foundation
import Testing

@Suite struct ParameterStoreTests {
  private typealias Expected = [(path: String, type: TensorType)]

  private func file(_ tensors: [(name: String, tensor: HostTensor)]) throws -> WeightFile {
    try Fixture.withFolder { folder in
      try WeightFile.writeSafetensors(tensors, to: folder + "/weights")
      return try WeightFile(path: folder + "/weights")
    }
  }

  private func floats(_ extents: Int...) -> HostTensor {
    let shape = Shape(extents)
    return HostTensor(shape, (0..<shape.elementCount).map { _ in .random(in: -1...1) })
  }

  @Test("A file that fits gives its tensors in the expected order")
  func fits() throws {
    let (a, b) = (floats(2, 3), floats(4))
    let store = try ParameterStore(
      file([("a.weight", a), ("b", b), ("bn.num_batches_tracked", floats())]),
      matching: [("b", b.type), ("a.weight", a.type)])
    #expect(store.paths == ["b", "a.weight"])
    #expect(store["a.weight"]?.floats == a.floats)
    #expect(store["b"]?.floats == b.floats)
    #expect(store["c"] == nil)
    #expect(store.missing.isEmpty)
    #expect(store.sizeInBytes == 40)
  }

  @Test("Real checkpoints fit a network without batch counters")
  func checkpoint() throws {
    let expected: Expected = [
      ("0.weight", .init(.float32, [3, 2, 3, 3])), ("0.bias", .init(.float32, [3])),
      ("1.weight", .init(.float32, [3])), ("1.bias", .init(.float32, [3])),
      ("1.running_mean", .init(.float32, [3])), ("1.running_var", .init(.float32, [3])),
    ]
    for name in ["zip-wrapped.bin", "legacy-wrapped.bin", "zip-model.bin"] {
      let store = try ParameterStore(Fixture.open(name), matching: expected)
      #expect(store["0.weight"]?.floats == Fixture.values(0..<54))
    }
  }

  @Test(
    "Narrow and wide floats become float32",
    arguments: ["zip-kinds.bin", "legacy-kinds.bin", "safetensors-kinds.bin"])
  func conversion(name: String) throws {
    let file = try Fixture.open(name)
    let expected: Expected = file.entries.compactMap { entry in
      entry.type.map { type in
        (entry.name, type.dtype.isFloatingPoint ? TensorType(.float32, type.shape) : type)
      }
    }
    let store = try ParameterStore(file, matching: expected)
    for dtype in ["float32", "float64", "float16", "bfloat16"] {
      #expect(store[dtype]?.floats == Fixture.values(0..<15))
    }
    #expect(store["int16"]?.dtype == .int16)
  }

  @Test("All 16-bit floats convert exactly, and doubles are rounded to nearest")
  func exactness() throws {
    let patterns = (0...UInt16.max).map { $0 }
    func convert(_ dtype: DType) throws -> [Float] {
      let tensor = HostTensor(TensorType(dtype, [65536]), patterns)
      let store = try ParameterStore(
        file([("w", tensor)]), matching: [("w", .init(.float32, [65536]))])
      return store["w"]?.floats ?? []
    }
    let halves = try convert(.float16)
    let brains = try convert(.bfloat16)
    try #require(halves.count == 65536 && brains.count == 65536)
    for pattern in patterns {
      let half = Float16(bitPattern: pattern)
      let value = halves[Int(pattern)]
      #expect(half.isNaN ? value.isNaN : Float16(value).bitPattern == pattern)
      #expect(brains[Int(pattern)].bitPattern == UInt32(pattern) << 16)
    }
    let doubles = (0..<1000).map { _ in Double.random(in: -1e3...1e3) } + [1e300, .infinity]
    let wide = HostTensor(TensorType(.float64, [doubles.count]), doubles)
    let store = try ParameterStore(
      file([("w", wide)]), matching: [("w", .init(.float32, wide.shape))])
    #expect(store["w"]?.floats == doubles.map { Float($0) })
  }

  @Test("Every mismatch is listed, each with its path")
  func mismatches() throws {
    let file = try file([
      ("a", floats(2)), ("b", floats(3, 1)), ("c", HostTensor.random(.init(.int32, [2]))),
      ("x.y", floats(5)),
    ])
    let expected: Expected = [
      ("a", .init(.float32, [2])), ("b", .init(.float32, [1, 3])), ("c", .init(.float32, [2])),
      ("d.e", .init(.float32, [])),
    ]
    let error = #expect(throws: WeightsError.self) {
      try ParameterStore(file, matching: expected)
    }
    let text = error?.description ?? ""
    #expect(
      error?.reason
        == .mismatches([
          .wrongShape(path: "b", expected: .init(.float32, [1, 3]), got: "float32[3, 1]"),
          .wrongDType(path: "c", expected: .init(.float32, [2]), got: "int32[2]"),
          .missing(path: "d.e", expected: .init(.float32, [])),
          .unexpected(path: "x.y", got: "float32[5]"),
        ]))
    #expect(text.contains("4 tensors do not match the network"))
    #expect(text.contains("  wrong shape: b: expected float32[1, 3], got float32[3, 1]\n"))
    #expect(text.contains("  missing: d.e: expected float32[]\n"))
    #expect(text.contains("  unexpected: x.y: got float32[5]\n"))
  }

  @Test("Mismatches that a glob allows stay missing, others do not pass")
  func allowed() throws {
    let weight = floats(2, 3)
    let file = try file([
      ("conv.weight", weight), ("fc.weight", floats(10, 3)), ("fc.scale", floats(1)),
    ])
    let expected: Expected = [
      ("conv.weight", weight.type), ("fc.weight", .init(.float32, [7, 3])),
      ("fc.bias", .init(.float32, [7])),
    ]
    var store = try ParameterStore(file, matching: expected, allowMismatch: ["fc.*", "conv.*"])
    #expect(store.paths == ["conv.weight"])
    #expect(store.missing == ["fc.weight", "fc.bias"])
    store["fc.bias"] = floats(7)
    #expect(store.missing == ["fc.weight"])
    #expect(store.paths == ["conv.weight", "fc.bias"])
    let error = #expect(throws: WeightsError.self) {
      try ParameterStore(file, matching: expected, allowMismatch: ["fc.weight"])
    }
    #expect(
      error?.reason
        == .mismatches([
          .missing(path: "fc.bias", expected: .init(.float32, [7])),
          .unexpected(path: "fc.scale", got: "float32[1]"),
        ]))
    #expect(error?.description.contains("--allow-mismatch 'fc.*'") == true)
  }

  @Test("A glob that matches nothing is an error")
  func unmatched() throws {
    let tensor = floats(2)
    let error = #expect(throws: WeightsError.self) {
      try ParameterStore(
        file([("a", tensor)]), matching: [("a", tensor.type)], allowMismatch: ["a", "FC.*", "z"])
    }
    #expect(error?.reason == .unmatchedGlobs(["FC.*", "z"]))
  }

  @Test("Unsupported element types are mismatches only where they are expected")
  func unsupported() throws {
    let file = try Fixture.open("safetensors-foreign.bin")
    let error = #expect(throws: WeightsError.self) {
      try ParameterStore(
        file, matching: [("fine", .init(.float32, [4])), ("uint16", .init(.float32, [5]))])
    }
    #expect(
      error?.reason
        == .mismatches([
          .wrongDType(path: "uint16", expected: .init(.float32, [5]), got: "U16[5]")
        ]))
    let store = try ParameterStore(
      file, matching: [("fine", .init(.float32, [4]))], allowMismatch: ["uint*"])
    #expect(store.paths == ["fine"])
  }

  @Test("A store that is written is read back")
  func roundTrip() throws {
    try Fixture.withFolder { folder in
      var store = ParameterStore()
      for index in 0..<5 { store["p\(index)"] = floats(index + 1, 3) }
      store["p2"] = nil
      try store.writeSafetensors(to: folder + "/w", metadata: ["a": "b"])
      let file = try WeightFile(path: folder + "/w")
      #expect(file.entries.map(\.name) == ["p0", "p1", "p3", "p4"])
      let expected = file.entries.compactMap { entry in entry.type.map { (entry.name, $0) } }
      let read = try ParameterStore(file, matching: expected.map { (path: $0.0, type: $0.1) })
      for path in store.paths { #expect(read[path]?.bytes == store[path]?.bytes) }
      #expect(file.metadata == ["a": "b"])
    }
  }
}
