import ApusTestSupport
import CPJRT
import Foundation
import Testing

/// What `CPJRT.h` says of itself, read as text so that nothing in it can be forgotten.
private struct OwnHeader {
  struct Block {
    let name: String
    let official: String
    let slot: Int?
    let fields: [String]
  }

  let blocks: [Block]

  init() throws {
    let text = try String(contentsOfFile: CCompiler.headers + "/CPJRT.h", encoding: .utf8)
    var fields: [String: [String]] = [:]
    for match in text.matches(of: /typedef struct \{\n((?:  .*\n)*)\} (\w+);/) {
      fields[String(match.2)] = match.1.split(separator: "\n").compactMap(Self.field)
    }
    let pattern = /\nPJRT_(?:FUNCTION|SIZE)\(\s*(\w+),\s*(\w+),\s*(?:(\d+),\s*)?\w+\);/
    blocks = text.matches(of: pattern).map { match in
      let official = String(match.2) + (match.3 == nil ? "" : "_Args")
      return Block(
        name: String(match.1), official: official, slot: match.3.flatMap { Int($0) },
        fields: ["struct_size", "extension_start"] + (fields[String(match.1)] ?? []))
    }
  }

  /// The name in a line such as `  const char *name; // out`.
  private static func field(_ line: Substring) -> String? {
    if line.contains("union {") || line.contains("PJRT_HEADER") { return nil }
    let declaration = line.prefix { $0 != ";" }
    if let callback = declaration.firstMatch(of: /\(\*(\w+)\)/) { return String(callback.1) }
    return declaration.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.last.map(String.init)
  }
}

/// A plugin's own header, in its wheel.
private enum WheelHeader {
  static let path: String? = (try? TestPlugin.path.get()).map { plugin in
    URL(fileURLWithPath: plugin).deletingLastPathComponent()
      .appendingPathComponent("include/pjrt_c_api.h").path
  }

  static let isFound = path.map { FileManager.default.fileExists(atPath: $0) } ?? false

  static let missing: Comment =
    "no PJRT header: looked for include/pjrt_c_api.h in the installed package xla-cpu-pjrt"
}

/// Lines of a C program that compares two headers.
private struct Comparison {
  let header: String
  private(set) var lines: [String] = []
  /// What only ours has: it was appended later.
  private(set) var newer: [String] = []

  init(_ header: String) { self.header = header }

  /// Demands that a relation holds between two numbers of C.
  mutating func expect(
    _ what: String, _ ours: String, _ theirs: String, relation: String = "=="
  ) {
    lines.append("check(\"\(what)\", \(ours) \(relation) \(theirs), \(ours), \(theirs));")
  }

  mutating func compare(_ block: OwnHeader.Block) throws {
    let (name, official) = (block.name, block.official)
    let pattern = try Regex("struct \(official) \\{((?s:.*?))\n\\};")
    guard let body = header.firstMatch(of: pattern)?[1].substring else {
      newer.append(official)
      let functions = "(int)((PJRT_Api_STRUCT_SIZE - 40) / 8)"
      expect("slot of \(name)", "\(block.slot ?? -1)", functions, relation: ">=")
      return
    }
    if let slot = block.slot {
      let place = "(int)((offsetof(PJRT_Api, \(official.dropLast(5))) - 40) / 8)"
      expect("slot of \(name)", "\(slot)", place)
      expect("slot of \(name)", "(int)\(name)Slot", place)
    }
    let size = "(int)\(official)_STRUCT_SIZE"
    var isComplete = true
    for field in block.fields {
      let offset = "(int)offsetof(\(name), \(field))"
      if body.contains(try Regex("\\b\(field)(;|\\)\\()")) {
        expect("\(name).\(field)", offset, "(int)offsetof(\(official), \(field))")
      } else {
        // It lies behind all that this header knows.
        isComplete = false
        newer.append("\(official).\(field)")
        expect("\(name).\(field)", offset, size, relation: ">=")
      }
    }
    expect("size of \(name)", "(int)\(name)Size", size, relation: isComplete ? "==" : ">")
    expect("room for \(name)", "(int)sizeof(\(name))", "(int)sizeof(PJRTRoom)", relation: "<=")
  }

  /// Compiles and runs the program; it prints what differs, and the number of comparisons.
  func run(including path: String) throws -> String {
    let program = """
      #include "\(path)"
      #include <CPJRT.h>
      #include <stdio.h>
      static int checks;
      static void check(const char *what, int holds, int ours, int theirs) {
        checks++;
        if (!holds) printf("%s: ours %d, theirs %d\\n", what, ours, theirs);
      }
      int main(void) {
      \(lines.joined(separator: "\n"))
        printf("%d checks\\n", checks);
        return 0;
      }
      """
    let folder = try TemporaryFolder()
    try CCompiler.compile(program, to: folder.path + "/compare", ["-w"])
    return try CCompiler.run([folder.path + "/compare"])
  }
}

@Suite("The structures of the C API")
struct HeaderTests {
  @Test(
    "equal those of the plugin's own header, field by field",
    .enabled(if: WheelHeader.isFound, WheelHeader.missing),
    .enabled(if: CCompiler.path != nil, CCompiler.missing))
  func layout() throws {
    let path = try #require(WheelHeader.path)
    var comparison = Comparison(try String(contentsOfFile: path, encoding: .utf8))
    let own = try OwnHeader()
    for block in own.blocks { try comparison.compare(block) }
    for (ours, theirs) in constants { comparison.expect(ours, "(int)\(ours)", "(int)\(theirs)") }
    comparison.expect(
      "minor_version", "(int)offsetof(PJRTTable, minor_version)",
      "(int)(offsetof(PJRT_Api, pjrt_api_version) + offsetof(PJRT_Api_Version, minor_version))")
    comparison.expect(
      "the table", "(int)sizeof(PJRTTable)", "(int)offsetof(PJRT_Api, PJRT_Error_Destroy)")
    let output = try comparison.run(including: path)
    #expect(output == "\(comparison.lines.count) checks\n")
    #expect(own.blocks.count >= 44 && comparison.lines.count > 300)
    // A newer wheel may have some of it.
    #expect(Set(comparison.newer).isSubset(of: laterThanWheel), "\(comparison.newer)")
  }

  private let constants = [
    ("PJRTNamedValueString", "PJRT_NamedValue_kString"),
    ("PJRTNamedValueInt64", "PJRT_NamedValue_kInt64"),
    ("PJRTNamedValueInt64List", "PJRT_NamedValue_kInt64List"),
    ("PJRTNamedValueFloat", "PJRT_NamedValue_kFloat"),
    ("PJRTNamedValueBool", "PJRT_NamedValue_kBool"),
    (
      "PJRTHostBufferImmutableOnlyDuringCall", "PJRT_HostBufferSemantics_kImmutableOnlyDuringCall"
    ),
    (
      "PJRTHostBufferImmutableUntilTransferCompletes",
      "PJRT_HostBufferSemantics_kImmutableUntilTransferCompletes"
    ),
    ("PJRTHostBufferImmutableZeroCopy", "PJRT_HostBufferSemantics_kImmutableZeroCopy"),
    ("PJRTHostBufferMutableZeroCopy", "PJRT_HostBufferSemantics_kMutableZeroCopy"),
    ("PJRTElementBool", "PJRT_Buffer_Type_PRED"), ("PJRTElementInt8", "PJRT_Buffer_Type_S8"),
    ("PJRTElementInt16", "PJRT_Buffer_Type_S16"), ("PJRTElementInt32", "PJRT_Buffer_Type_S32"),
    ("PJRTElementInt64", "PJRT_Buffer_Type_S64"), ("PJRTElementUInt8", "PJRT_Buffer_Type_U8"),
    ("PJRTElementFloat16", "PJRT_Buffer_Type_F16"), ("PJRTElementFloat32", "PJRT_Buffer_Type_F32"),
    ("PJRTElementFloat64", "PJRT_Buffer_Type_F64"),
    ("PJRTElementBFloat16", "PJRT_Buffer_Type_BF16"),
  ]

  private let laterThanWheel: Set<String> = [
    "PJRT_Device_ClearMemoryStats_Args", "PJRT_ExecuteOptions.multi_slice_config",
    "PJRT_ExecuteOptions.use_major_to_minor_data_layout_for_callbacks",
    "PJRT_ExecuteOptions.hlo_output_callbacks", "PJRT_ExecuteOptions.num_hlo_output_callbacks",
    "PJRT_Device_MemoryStats_Args.peak_allocated_bytes",
    "PJRT_Device_MemoryStats_Args.peak_allocated_bytes_is_set",
    "PJRT_Executable_GetCompiledMemoryStats_Args.total_size_in_bytes",
    "PJRT_Executable_GetCompiledMemoryStats_Args.total_allocation_bytes",
    "PJRT_Executable_GetCompiledMemoryStats_Args.indefinite_allocations",
    "PJRT_Executable_GetCompiledMemoryStats_Args.peak_unpadded_heap_bytes",
    "PJRT_Executable_DeserializeAndLoad_Args.load_options",
  ]

  @Test("have the sizes and places of API 0.114 where 0.81 does not know them")
  func newerAPI() {
    #expect(PJRTDeviceClearMemoryStatsSlot == 135 && PJRTDeviceClearMemoryStatsSize == 24)
    #expect(PJRTDeviceMemoryStatsSize == 201)
    #expect(PJRTExecutableGetCompiledMemoryStatsSize == 144)
    #expect(PJRTExecutableDeserializeAndLoadSize == 72)
    #expect(PJRTExecuteOptionsSize == 144)
    #expect(MemoryLayout<PJRTTable>.size == 40)
    #expect(MemoryLayout<PJRTExecuteOptions>.offset(of: \.multi_slice_config) == 112)
    #expect(MemoryLayout<PJRTExecuteOptions>.offset(of: \.hlo_output_callbacks) == 128)
    #expect(MemoryLayout<PJRTDeviceMemoryStats>.offset(of: \.peak_allocated_bytes) == 192)
  }
}
