/// Reads a message in the wire format of Protocol Buffers; its fields are trusted in nothing.
struct ProtoReader {
  private enum Field {
    case number(UInt64)
    case content(ArraySlice<UInt8>)
  }

  private var fields: [Int: [Field]] = [:]

  /// `nil` where the bytes are no message.
  init?(_ bytes: [UInt8]) { self.init(bytes[...]) }

  private init?(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while !rest.isEmpty {
      guard let tag = Self.takeNumber(&rest), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return nil }
      let field: Field
      switch tag & 7 {
      case 0:
        guard let number = Self.takeNumber(&rest) else { return nil }
        field = .number(number)
      case 1, 5:
        let count = tag & 7 == 1 ? 8 : 4
        guard rest.count >= count else { return nil }
        field = .content(rest.prefix(count))
        rest = rest.dropFirst(count)
      case 2:
        guard let count = Self.takeNumber(&rest), count <= UInt64(rest.count) else { return nil }
        field = .content(rest.prefix(Int(count)))
        rest = rest.dropFirst(Int(count))
      default: return nil
      }
      fields[Int(tag >> 3), default: []].append(field)
    }
  }

  /// The text of a field; empty where it is not there.
  func string(_ field: Int) -> String {
    guard case .content(let bytes) = fields[field]?.last else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The number of a field; 0 where it is not there.
  func number(_ field: Int) -> Int {
    guard case .number(let number) = fields[field]?.last else { return 0 }
    return Int(truncatingIfNeeded: number)
  }

  /// The numbers of a repeated field, packed or not.
  func numbers(_ field: Int) -> [Int] {
    (fields[field] ?? []).flatMap { field -> [Int] in
      switch field {
      case .number(let number): return [Int(truncatingIfNeeded: number)]
      case .content(var bytes):
        var numbers: [Int] = []
        while let number = Self.takeNumber(&bytes) {
          numbers.append(Int(truncatingIfNeeded: number))
        }
        return numbers
      }
    }
  }

  /// The last message of a field.
  func message(_ field: Int) -> ProtoReader? { messages(field).last }

  /// The messages of a repeated field; what is no message is left out.
  func messages(_ field: Int) -> [ProtoReader] {
    (fields[field] ?? []).compactMap { field in
      guard case .content(let bytes) = field else { return nil }
      return ProtoReader(bytes)
    }
  }

  private static func takeNumber(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      number |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return number }
    }
    return nil
  }
}
