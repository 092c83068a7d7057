/// What `/proc/cpuinfo` says of a processor.
public struct CPUInfo: Hashable, Sendable {
  /// The processor's name; nil when the text has none.
  public let model: String?
  /// The widest instruction set that matters to networks, such as "avx2" or "avx512_bf16"; nil
  /// when none is known.
  public let isa: String?
  /// Clock frequency of each logical CPU in MHz; empty where it is not told.
  public let frequenciesMHz: [Double]

  public init(parsing text: String) {
    var fields: [Substring: String] = [:]
    var frequencies: [Double] = []
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = trim(line[..<colon])
      let value = String(trim(line[line.index(after: colon)...]))
      if key == "cpu MHz", let frequency = Double(value), frequency > 0, frequency.isFinite {
        frequencies.append(frequency)
      }
      if fields[key] == nil { fields[key] = value }
    }
    model = CPUInfo.model(fields)
    isa = CPUInfo.isa(flags: fields["flags"] ?? fields["Features"] ?? "")
    frequenciesMHz = frequencies
  }

  /// The widest instruction set among the flags of an x86-64 or Arm processor.
  ///
  /// A level counts only together with what it builds upon, since virtual machines hide flags.
  public static func isa(flags: String) -> String? {
    let present = Set(flags.split(whereSeparator: \.isWhitespace))
    return levels.first { _, needed in needed.allSatisfy { present.contains($0[...]) } }?.name
  }

  private static func model(_ fields: [Substring: String]) -> String? {
    for key in ["model name", "Model", "Hardware", "cpu model"] {
      if let name = fields[key[...]], !name.isEmpty {
        return name.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      }
    }
    guard let implementer = fields["CPU implementer"], let part = fields["CPU part"] else {
      return nil
    }
    return "implementer \(implementer) part \(part)"
  }

  private static let avx512 = ["avx512f", "avx512bw", "avx512dq", "avx512vl"]

  private static let levels: [(name: String, needed: [String])] = [
    ("amx", avx512 + ["amx_tile", "amx_int8", "amx_bf16"]),
    ("avx512_fp16", avx512 + ["avx512_fp16"]),
    ("avx512_bf16", avx512 + ["avx512_bf16"]),
    ("avx512_vnni", avx512 + ["avx512_vnni"]),
    ("avx512", avx512),
    ("avx_vnni", ["avx2", "fma", "avx_vnni"]),
    ("avx2", ["avx2", "fma"]),
    ("avx", ["avx"]),
    ("sse4_2", ["sse4_2"]),
    ("sse2", ["sse2"]),
    ("sve2", ["sve2"]),
    ("sve", ["sve"]),
    ("asimd", ["asimd"]),
  ]
}

private func trim(_ text: Substring) -> Substring {
  var text = text
  while text.first?.isWhitespace == true { text.removeFirst() }
  while text.last?.isWhitespace == true { text.removeLast() }
  return text
}
