import ApusPJRT
import Testing

@Suite("Compile options")
struct CompileOptionsTests {
  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }

  @Test("always say one replica and one partition")
  func minimal() {
    #expect(hex(CompileOptions().serialized()) == "1a 04 20 01 28 01")
  }

  @Test("assign the program to a device")
  func device() {
    // Replicas 1, computations 1, devices {2}.
    #expect(
      hex(CompileOptions().serialized(device: 2))
        == "1a 0f 20 01 28 01 4a 09 08 01 10 01 1a 03 0a 01 02")
    #expect(
      hex(CompileOptions().serialized(device: 300)).hasSuffix("08 01 10 01 1a 04 0a 02 ac 02"))
  }

  @Test("carry flags with values of every kind, sorted by name")
  func flags() {
    let zero = CompileOptions(flags: ["xla_gpu_autotune_level": .int64(0)])
    let name = hex(Array("xla_gpu_autotune_level".utf8))
    #expect(hex(zero.serialized()) == "1a 04 20 01 28 01 3a 1c 0a 16 \(name) 12 02 18 00")
    let all = CompileOptions(flags: [
      "d": .double(0.5), "b": .bool(true), "a": .string("x"), "c": .int64(-1), "e": .bool(false),
    ])
    #expect(
      hex(all.serialized())
        == """
        1a 04 20 01 28 01 \
        3a 08 0a 01 61 12 03 0a 01 78 \
        3a 07 0a 01 62 12 02 10 01 \
        3a 10 0a 01 63 12 0b 18 ff ff ff ff ff ff ff ff ff 01 \
        3a 0e 0a 01 64 12 09 21 00 00 00 00 00 00 e0 3f \
        3a 07 0a 01 65 12 02 10 00
        """)
  }
}

@Suite("Optimized programs")
struct OptimizedProgramTests {
  @Test("nonsense is none, and hurts nobody")
  func nonsense() {
    #expect(OptimizedProgram([]) == nil)
    #expect(OptimizedProgram(Array("nonsense".utf8)) == nil)
    for _ in 0..<2000 {
      let count = Int.random(in: 1...60)
      _ = OptimizedProgram((0..<count).map { _ in UInt8.random(in: 0...255) })
      // A message inside a message, of whatever bytes.
      let content = (0..<count).map { _ in UInt8.random(in: 0...40) }
      _ = OptimizedProgram([0x0A, UInt8(count)] + content)
    }
  }
}
