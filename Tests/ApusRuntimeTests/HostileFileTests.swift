import ApusIR
import ApusRuntime
import Foundation
import Testing

@Suite struct HostileFileTests {
  @Test(
    "A pickle that imports or calls anything else is refused by name",
    arguments: [
      ("evil-global.bin", "os.system"), ("evil-builtin.bin", "builtins.eval"),
      ("evil-stack-global.bin", "posix.system"), ("evil-nested.bin", "posix.system"),
      ("evil-inst.bin", "os.system"), ("evil-obj.bin", "os.system"),
      ("evil-newobj.bin", "subprocess.Popen"), ("evil-newobj-ex.bin", "subprocess.Popen"),
      ("evil-build.bin", "os.environ"), ("evil-build-dict.bin", "collections.OrderedDict"),
      ("evil-unused.bin", "os.system"), ("evil-extension.bin", "a copyreg extension"),
    ])
  func refused(name: String, callee: String) throws {
    let error = #expect(throws: WeightsError.self) { try Fixture.open(name) }
    #expect(error?.reason == .refusedCall(callee))
    #expect(error?.description.contains("refuses to call \(callee)") == true)
  }

  @Test("What is no state dict is refused with the remedy")
  func noStateDict() throws {
    func reason(_ name: String) -> WeightsError.Reason? {
      let error = #expect(throws: WeightsError.self) { try Fixture.open(name) }
      #expect(error?.description.contains("hint: ") == true)
      return error?.reason
    }
    #expect(reason("zip-module.bin") == .wholeModule(className: "__main__.Affine"))
    #expect(reason("legacy-module.bin") == .wholeModule(className: "__main__.Affine"))
    #expect(reason("script.bin") == .torchScript)
    #expect(reason("zip-two.bin") == .severalStateDicts(["model", "model_ema"]))
    #expect(
      reason("zip-none.bin")
        == .noStateDict(found: "a dict of other things (args, best, epoch, history, optimizer)"))
    #expect(
      reason("cycle.bin") == .noStateDict(found: "a dict of other things (l, self)"))
    #expect(reason("pickle.bin") == .unrecognized(.pickle))
    #expect(reason("npy-f4.npy") == .unrecognized(.numPy))
    let compressed = reason("compressed.bin")
    #expect(
      compressed
        == .unsupported(
          part: "zip entry archive/data.pkl", feature: "compression",
          remedy: "torch.save stores entries uncompressed; do not pack the file again"))
  }

  @Test("Files that are something else say what they seem to be")
  func lookalikes() {
    #expect(
      reason(Array("version https://git-lfs.github.com/spec/v1\n".utf8))
        == .unrecognized(.gitLFSPointer))
    #expect(reason(Array(" \n<!DOCTYPE html><html>".utf8)) == .unrecognized(.html))
    #expect(reason(Array("hello, world".utf8)) == .unrecognized(.text))
    #expect(reason([]) == .unrecognized(.empty))
    #expect(reason([0, 1, 2, 3]) == .unrecognized(.unknown))
  }

  @Test("Folders, devices and missing files are refused")
  func notFiles() {
    func reason(_ path: String) -> WeightsError.Reason? {
      #expect(throws: WeightsError.self) { try WeightFile(path: path) }?.reason
    }
    #expect(reason("/") == .notRegularFile)
    #expect(reason("/dev/null") == .notRegularFile)
    #expect(
      reason("/nowhere") == .file(.init(path: "/nowhere", operation: .open, code: ENOENT)))
  }

  /// A file in the legacy format that holds this pickle and no storages.
  private func legacy(_ pickle: [UInt8]) -> [UInt8] {
    let start: [UInt8] = [
      0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
      0x80, 2, 0x4d, 0xe9, 3, 0x2e, 0x80, 2, 0x7d, 0x2e,
    ]
    return start + pickle + [0x80, 2, 0x5d, 0x2e]
  }

  @Test("Nested, doubled and endless structures neither crash nor hang")
  func bombs() throws {
    let clock = ContinuousClock()
    let time = clock.measure {
      // A million lists, each inside the one before it.
      var nested = Array(repeating: UInt8(ascii: "]"), count: 1_000_000)
      nested += Array(repeating: UInt8(ascii: "a"), count: 999_999)
      #expect(reason(legacy(nested + [0x2e])) == .noStateDict(found: "a list or tuple"))
      // Tuples of tuples: 2^1000000 leaves.
      var doubled = [UInt8(ascii: ")")]
      doubled += Array(repeating: [0x32, 0x86] as [UInt8], count: 1_000_000).joined()
      #expect(reason(legacy(doubled + [0x2e])) == .noStateDict(found: "a list or tuple"))
      let marks = Array(repeating: UInt8(ascii: "("), count: 5_000_000)
      #expect(reason(legacy(marks + [0x2e])) != nil)
      let deep = Array(repeating: UInt8(ascii: "N"), count: 5_000_000)
      #expect(reason(legacy(deep + [0x2e])) != nil)
      // One long list copied again and again by OrderedDict.
      var copies: [UInt8] = [0x5d, 0x94, 0x28]
      for _ in 0..<100_000 { copies += [0x29, 0x29, 0x86] }
      copies += [UInt8(ascii: "e"), 0x85, 0x94]
      let call = Array("ccollections\nOrderedDict\n".utf8)
      copies += call + [0x94]
      for _ in 0..<100_000 { copies += [0x68, 2, 0x68, 1, 0x52, 0x30] }
      #expect(reason(legacy(copies + [0x2e])) != nil)
    }
    #expect(time < .seconds(20))
  }

  @Test("An empty state dict is no error")
  func empty() throws {
    #expect(try WeightFile(contents: legacy([0x7d, 0x2e]), path: "x").entries.isEmpty)
    let safetensors: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0, UInt8(ascii: "{"), UInt8(ascii: "}")]
    #expect(try WeightFile(contents: safetensors, path: "x").entries.isEmpty)
  }

  @Test("Counts larger than the file are not believed")
  func counts() throws {
    for opcode: [UInt8] in [
      [0x58, 0xff, 0xff, 0xff, 0xff], [0x8d] + Array(repeating: 0xff, count: 8),
      [0x8e] + Array(repeating: 0xff, count: 8), [0x8b, 0xff, 0xff, 0xff, 0xff], [0x8c, 0xff],
      [0x96, 0, 0, 0, 0, 0, 0, 0, 0x80],
    ] {
      guard case .truncated(part: "pickle", _, _)? = reason(legacy(opcode)) else {
        Issue.record("not truncated: \(opcode)")
        continue
      }
    }
  }

  @Test(
    "Tensors that leave their storage are refused",
    arguments: [
      (offset: -1, sizes: [2], strides: [1]), (0, [7], [1]), (1, [6], [1]), (0, [2, 3], [4, 1]),
      (0, [-1], [1]), (0, [2], [-1]), (0, [2], [1, 1]), (0, [1 << 62, 4], [0, 0]),
      (0, [2], [Int.max]), (Int.max, [1], [1]), (0, [3, 3], [Int.max / 2, Int.max / 2]),
    ])
  func outside(offset: Int, sizes: [Int], strides: [Int]) throws {
    #expect(reason(pickled(offset, sizes, strides)) != nil)
  }

  @Test("Tensors that stay inside their storage are read")
  func inside() throws {
    func floats(_ offset: Int, _ sizes: [Int], _ strides: [Int]) throws -> [Float] {
      try WeightFile(contents: pickled(offset, sizes, strides), path: "x").tensor(named: "w").floats
    }
    #expect(try floats(0, [2, 3], [3, 1]) == [0, 1, 2, 3, 4, 5])
    #expect(try floats(5, [1, 1], [.max, .max]) == [5])
    #expect(try floats(1, [2, 2], [3, 1]) == [1, 2, 4, 5])
    #expect(try floats(1 << 40, [0], [1]).isEmpty)
    #expect(try floats(2, [2, 2], [0, 1]) == [2, 3, 2, 3])
  }

  @Test("A tensor that repeats a small storage into terabytes is refused")
  func expansion() throws {
    let file = try WeightFile(contents: pickled(0, [1 << 38], [0]), path: "x")
    let error = #expect(throws: WeightsError.self) { try file.tensor(named: "w") }
    #expect(error?.reason == .expandsTooFar(tensor: "w", bytes: 1 << 40, storage: 24))
  }

  @Test("A view of a part of a storage stays inside that part")
  func view() throws {
    let file = try WeightFile(contents: pickled(1, [3], [1], view: (2, 4)), path: "x")
    #expect(try file.tensor(named: "w").floats == [3, 4, 5])
    #expect(reason(pickled(2, [3], [1], view: (2, 4))) != nil)
    #expect(reason(pickled(0, [1], [1], view: (4, 3))) != nil)
    #expect(reason(pickled(0, [1], [1], view: (-1, 3))) != nil)
  }

  @Test("State dicts that Python 2 saved are read")
  func python2() throws {
    let file = try WeightFile(contents: pickled(0, [6], [1], isPython2: true), path: "x")
    #expect(try file.tensor(named: "w").floats == [0, 1, 2, 3, 4, 5])
  }

  @Test("Names in messages cannot drive a terminal")
  func escapes() throws {
    let file = try WeightFile(contents: pickled(0, [6], [1]), path: "\u{1b}]0;x\u{7}")
    let error = #expect(throws: WeightsError.self) { try file.tensor(named: "\u{1b}[31m\n") }
    #expect(
      error?.description == "\\u{1b}]0;x\\u{7}: holds no tensor named \\u{1b}[31m\\u{a}")
  }

  /// A legacy file with one tensor `w` of a storage of six numbers 0, 1, … 5.
  private func pickled(
    _ offset: Int, _ sizes: [Int], _ strides: [Int], view: (Int, Int)? = nil,
    isPython2: Bool = false
  ) -> [UInt8] {
    func bytes<Value>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    func long(_ value: Int) -> [UInt8] { [0x8a, 8] + bytes(value.littleEndian) }
    func text(_ text: String) -> [UInt8] { [0x8c, UInt8(text.utf8.count)] + Array(text.utf8) }
    var pickle: [UInt8] = [0x80, 2]
    // An OrderedDict made of a list of lists, its keys byte strings; or a dict.
    if isPython2 {
      pickle += Array("ccollections\nOrderedDict\n((lp1\n(lp2\n".utf8)
      pickle += [0x55, 1, UInt8(ascii: "w"), UInt8(ascii: "a")]
    } else {
      pickle += [0x7d] + text("w")
    }
    pickle += Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
    pickle += text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text("0") + text("cpu")
    pickle += long(6)
    if let view { pickle += text("v") + long(view.0) + long(view.1) + [0x87] }
    pickle += [0x74, 0x51] + long(offset)
    for numbers in [sizes, strides] {
      pickle += [0x28]
      for number in numbers { pickle += long(number) }
      pickle += [0x74]
    }
    pickle += [0x89, 0x4e, 0x74, 0x52]
    pickle += isPython2 ? Array("aatR.".utf8) : Array("s.".utf8)
    var file = Array(legacy(pickle).dropLast(4))
    file += [0x80, 2, 0x5d] + text("0") + [0x61, 0x2e] + bytes(6)
    for index in 0..<6 { file += bytes(Float(index)) }
    return file
  }
}
