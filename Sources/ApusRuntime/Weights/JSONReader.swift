/// A pull parser of strict JSON (RFC 8259) that builds no tree: the caller asks for what its
/// schema has next, so a hostile document cannot nest deeply or grow in memory.
struct JSONReader {
  private var bytes: ByteReader

  init(_ bytes: ByteReader) { self.bytes = bytes }

  /// Reads `{ "key": …, … }`; `member` reads the value of each key, which may occur only once.
  mutating func object(
    _ member: (inout JSONReader, String) throws(WeightsError.Reason) -> Void
  ) throws(WeightsError.Reason) {
    try expect("{")
    var keys: Set<String> = []
    if try accept("}") { return }
    repeat {
      let key = try string()
      guard keys.insert(key).inserted else {
        throw invalid("keys must be unique", got: "\"\(key)\" twice")
      }
      try expect(":")
      try member(&self, key)
    } while try accept(",")
    try expect("}")
  }

  /// Reads `[ n, … ]` of at most `limit` non-negative integers.
  mutating func integers(limit: Int) throws(WeightsError.Reason) -> [Int] {
    try expect("[")
    if try accept("]") { return [] }
    var values: [Int] = []
    repeat {
      guard values.count < limit else {
        throw invalid("a list must have at most \(limit) numbers", got: "more")
      }
      values.append(try integer())
    } while try accept(",")
    try expect("]")
    return values
  }

  /// Reads a string in quotes.
  mutating func string() throws(WeightsError.Reason) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while true {
      let byte: UInt8 = try bytes.integer()
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw invalid("text must be UTF-8", got: "other bytes")
        }
        return string
      case UInt8(ascii: "\\"): text += String(try escaped()).utf8
      case 0..<0x20: throw invalid("text must have no control characters", got: "byte \(byte)")
      default: text.append(byte)
      }
    }
  }

  /// Checks that nothing but white space is left.
  mutating func finish() throws(WeightsError.Reason) {
    if let byte = try next() { throw invalid("must end after the object", got: Self.shown(byte)) }
  }

  private mutating func integer() throws(WeightsError.Reason) -> Int {
    var digits = ""
    _ = try next()
    while let byte = peek(), Self.isPartOfNumber(byte) {
      digits.unicodeScalars.append(Unicode.Scalar(byte))
      _ = try bytes.bytes(1)
      guard digits.count <= 40 else { break }
    }
    let isPlain = digits == "0" || (digits.first != "0" && digits.allSatisfy(\.isNumber))
    guard isPlain, let value = Int(digits) else {
      let got = digits.isEmpty ? peek().map(Self.shown) ?? "the end" : digits
      throw invalid("sizes and offsets must be whole numbers from 0 to 2^63 - 1", got: got)
    }
    return value
  }

  private mutating func escaped() throws(WeightsError.Reason) -> Unicode.Scalar {
    let byte: UInt8 = try bytes.integer()
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try codePoint()
    default: throw invalid("an escape must be one of JSON's", got: "\\" + Self.shown(byte))
    }
  }

  private mutating func codePoint() throws(WeightsError.Reason) -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if (0xd800..<0xdc00).contains(first), peek() == UInt8(ascii: "\\") {
      _ = try bytes.bytes(1)
      if peek() == UInt8(ascii: "u") {
        _ = try bytes.bytes(1)
        let second = try hexadecimal()
        if (0xdc00..<0xe000).contains(second),
          let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        {
          return scalar
        }
      }
    }
    throw invalid("a surrogate must be one of a pair", got: "one alone")
  }

  private mutating func hexadecimal() throws(WeightsError.Reason) -> UInt32 {
    let digits = String(decoding: try bytes.bytes(4), as: UTF8.self)
    guard digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16) else {
      throw invalid("\\u must have four hexadecimal digits", got: digits)
    }
    return value
  }

  private mutating func expect(_ symbol: Unicode.Scalar) throws(WeightsError.Reason) {
    guard try accept(symbol) else {
      throw invalid("must have \(symbol)", got: peek().map(Self.shown) ?? "the end")
    }
  }

  private mutating func accept(_ symbol: Unicode.Scalar) throws(WeightsError.Reason) -> Bool {
    guard try next() == UInt8(ascii: symbol) else { return false }
    _ = try bytes.bytes(1)
    return true
  }

  /// Skips white space and looks at what follows it.
  private mutating func next() throws(WeightsError.Reason) -> UInt8? {
    while let byte = peek() {
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
      _ = try bytes.bytes(1)
    }
    return nil
  }

  private func peek() -> UInt8? {
    bytes.remaining > 0 ? bytes.file.storage.bytes[bytes.offset] : nil
  }

  private static func isPartOfNumber(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains(byte)
  }

  private static func shown(_ byte: UInt8) -> String {
    (0x20..<0x7f).contains(byte) ? String(Unicode.Scalar(byte)) : "byte \(byte)"
  }

  func invalid(_ rule: String, got: String) -> WeightsError.Reason {
    .invalid(part: bytes.part, rule: rule, got: got)
  }
}
