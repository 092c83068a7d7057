/// The checksum of zip archives: the cyclic redundancy check of ISO 3309, eight bytes at a time.
///
/// Source: PKWARE's APPNOTE.TXT 6.3, section 4.4.7; slicing: Kounavis and Berry 2005, "A systematic
/// approach to building high performance software-based CRC generators".
struct CRC32 {
  private var state: UInt32 = .max

  /// The checksum of all bytes so far.
  var value: UInt32 { ~state }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    Self.tables.withUnsafeBufferPointer { tables in
      var state = state
      var index = 0
      while bytes.count - index >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let mixed = word ^ UInt64(state)
        state = 0
        for byte in 0..<8 {
          state ^= tables[(7 - byte) << 8 | Int(truncatingIfNeeded: mixed >> (8 * byte)) & 0xff]
        }
        index += 8
      }
      while index < bytes.count {
        state = state >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: state) ^ bytes[index])]
        index += 1
      }
      self.state = state
    }
  }

  /// Table k holds the checksum of each byte followed by k zeros.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = []
    for byte: UInt32 in 0..<256 {
      var state = byte
      for _ in 0..<8 { state = state & 1 == 1 ? state >> 1 ^ 0xedb8_8320 : state >> 1 }
      tables.append(state)
    }
    for index in 256..<8 * 256 {
      let previous = tables[index - 256]
      tables.append(previous >> 8 ^ tables[Int(previous & 0xff)])
    }
    return tables
  }()
}
