import ApusRuntime
import Foundation
import Testing

/// Damaged files must give an error or other numbers, never a crash.
@Suite struct FuzzTests {
  static let files = [
    "zip-tiny.bin", "legacy-tiny.bin", "safetensors-tiny.bin", "zip64.bin", "npz-tiny.bin",
    "params-v0.bin", "params-v1.bin", "params-v2.bin", "params-v3.bin", "zip-views.bin",
    "legacy-views.bin", "evil-nested.bin", "cycle.bin",
  ]

  /// Opens damaged bytes and touches every element; returns whether that worked.
  private func survives(_ bytes: [UInt8]) -> Bool {
    guard let file = try? WeightFile(contents: bytes, path: "damaged") else { return false }
    var sum = 0.0
    for entry in file.entries {
      sum += (try? file.tensor(named: entry.name))?.numbers.reduce(0, +) ?? 0
    }
    return sum.isNaN || sum != .pi
  }

  @Test("A file cut short anywhere is refused", arguments: files.prefix(9))
  func truncated(name: String) throws {
    let bytes = try Fixture.bytes(name)
    #expect(survives(bytes))
    for count in bytes.indices where survives(Array(bytes.prefix(count))) {
      Issue.record("\(name) cut to \(count) of \(bytes.count) bytes was accepted")
    }
  }

  @Test("Any changed byte does no harm", arguments: files)
  func flipped(name: String) throws {
    let bytes = try Fixture.bytes(name)
    var accepted = 0
    for index in bytes.indices {
      for mask: UInt8 in [0x01, 0x20, 0x80, 0xff] {
        var damaged = bytes
        damaged[index] ^= mask
        if survives(damaged) { accepted += 1 }
      }
    }
    #expect(accepted < bytes.count * 4)
  }

  @Test("Random damage does no harm", arguments: files)
  func random(name: String) throws {
    let bytes = try Fixture.bytes(name)
    var accepted = 0
    for _ in 0..<3000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...6) {
        let at = Int.random(in: damaged.indices)
        switch Int.random(in: 0..<4) {
        case 0: damaged[at] = .random(in: 0...255)
        case 1: damaged.remove(at: at)
        case 2: damaged.insert(.random(in: 0...255), at: at)
        default:
          let run = bytes[Int.random(in: bytes.indices)...].prefix(Int.random(in: 1...16))
          damaged.replaceSubrange(at..<min(at + run.count, damaged.count), with: run)
        }
      }
      if survives(damaged) { accepted += 1 }
    }
    #expect(accepted < 3000)
  }

  @Test(
    "Damaged arrays do no harm", arguments: ["npy-f4.npy", "npy-u1.npy", "npy-version2.npy"])
  func arrays(name: String) throws {
    let bytes = try Fixture.bytes(name)
    for count in bytes.indices {
      #expect(throws: WeightsError.Reason.self) {
        try NumPyFile.read(MappedFile(contents: Array(bytes.prefix(count))))
      }
    }
    for index in bytes.indices {
      for mask: UInt8 in [0x01, 0x10, 0x80, 0xff] {
        var damaged = bytes
        damaged[index] ^= mask
        if let tensor = try? NumPyFile.read(MappedFile(contents: damaged)) {
          #expect(tensor.numbers.count == tensor.shape.elementCount)
        }
      }
    }
  }
}
