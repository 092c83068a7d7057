/// The directory of a zip file whose entries are stored, not compressed.
///
/// Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3 (zip64).
struct ZipArchive {
  /// One file inside the archive.
  struct Entry {
    let name: String
    let method: UInt16
    let flags: UInt16
    let sizeInBytes: Int
    let compressedSizeInBytes: Int
    let headerOffset: Int
  }

  /// In the directory's order.
  let entries: [Entry]
  private let file: MappedFile
  private let positions: [String: Int]
  private static let part = "zip directory"

  init(_ file: MappedFile) throws(WeightsError.Reason) {
    self.file = file
    let directory = try Self.directory(of: file)
    var reader = try ByteReader(
      file, at: directory.offset, count: directory.size, part: Self.part)
    var entries: [Entry] = []
    var positions: [String: Int] = [:]
    while reader.remaining > 0 {
      let entry = try Self.entry(&reader)
      guard positions.updateValue(entries.count, forKey: entry.name) == nil else {
        throw .invalid(part: Self.part, rule: "names must be unique", got: entry.name)
      }
      entries.append(entry)
    }
    self.entries = entries
    self.positions = positions
  }

  /// The range of an entry's bytes in the file, or `nil` where there is no such entry.
  ///
  /// - Parameter remedy: how the archive is had without compression.
  func range(of name: String, remedy: String) throws(WeightsError.Reason) -> Range<Int>? {
    guard let entry = positions[name].map({ entries[$0] }) else { return nil }
    let part = "zip entry \(name)"
    guard entry.flags & 1 == 0 else {
      throw .unsupported(part: part, feature: "encryption", remedy: nil)
    }
    guard entry.method == 0, entry.compressedSizeInBytes == entry.sizeInBytes else {
      throw .unsupported(part: part, feature: "compression", remedy: remedy)
    }
    var header = try ByteReader(
      file, at: entry.headerOffset, count: min(30, file.count - entry.headerOffset), part: part)
    let signature: UInt32 = try header.integer()
    guard signature == 0x0403_4b50 else {
      throw .invalid(part: part, rule: "must have a local header", got: hex(signature))
    }
    _ = try header.bytes(22)
    let nameLength: UInt16 = try header.integer()
    let extraLength: UInt16 = try header.integer()
    let start = entry.headerOffset + 30 + Int(nameLength) + Int(extraLength)
    _ = try file.bytes(at: start, count: entry.sizeInBytes, part: part)
    return start..<start + entry.sizeInBytes
  }

  private static func directory(
    of file: MappedFile
  ) throws(WeightsError.Reason) -> (offset: Int, size: Int) {
    let end = try endRecord(of: file)
    var reader = try ByteReader(file, at: end, count: 22, part: part)
    _ = try reader.bytes(12)
    let size: UInt32 = try reader.integer()
    let offset: UInt32 = try reader.integer()
    guard size == .max || offset == .max || end >= 20 && hasLocator(file, before: end) else {
      return (Int(offset), Int(size))
    }
    return try zip64Directory(of: file, locator: end - 20)
  }

  /// Looks for the record that ends the archive, before a comment of at most 65535 bytes.
  private static func endRecord(of file: MappedFile) throws(WeightsError.Reason) -> Int {
    let bytes = UnsafeRawBufferPointer(file.storage.bytes)
    let last = file.count - 22
    if last >= 0 {
      for offset in stride(from: last, through: max(0, last - 65535), by: -1)
      where bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
        == 0x0605_4b50
      {
        return offset
      }
    }
    throw .invalid(
      part: "zip archive", rule: "must end with a directory",
      got: "none: the file is truncated or damaged")
  }

  private static func hasLocator(_ file: MappedFile, before end: Int) -> Bool {
    let bytes = UnsafeRawBufferPointer(file.storage.bytes)
    return bytes.loadUnaligned(fromByteOffset: end - 20, as: UInt32.self).littleEndian
      == 0x0706_4b50
  }

  private static func zip64Directory(
    of file: MappedFile, locator: Int
  ) throws(WeightsError.Reason) -> (offset: Int, size: Int) {
    var reader = try ByteReader(file, at: locator, count: 20, part: part)
    let locatorSignature: UInt32 = try reader.integer()
    guard locatorSignature == 0x0706_4b50 else {
      throw .invalid(part: part, rule: "must have a zip64 locator", got: hex(locatorSignature))
    }
    _ = try reader.bytes(4)
    let position = try offset(reader.integer(), in: file)
    var record = try ByteReader(
      file, at: position, count: min(56, file.count - position), part: part)
    let signature: UInt32 = try record.integer()
    guard signature == 0x0606_4b50 else {
      throw .invalid(part: part, rule: "must have a zip64 end record", got: hex(signature))
    }
    _ = try record.bytes(36)
    let size = try offset(record.integer(), in: file)
    return (try offset(record.integer(), in: file), size)
  }

  private static func entry(_ reader: inout ByteReader) throws(WeightsError.Reason) -> Entry {
    let signature: UInt32 = try reader.integer()
    guard signature == 0x0201_4b50 else {
      throw .invalid(part: part, rule: "must have an entry", got: hex(signature))
    }
    _ = try reader.bytes(4)
    let flags: UInt16 = try reader.integer()
    let method: UInt16 = try reader.integer()
    _ = try reader.bytes(8)
    var compressed = UInt64(try reader.integer(UInt32.self))
    var size = UInt64(try reader.integer(UInt32.self))
    let nameLength: UInt16 = try reader.integer()
    let extraLength: UInt16 = try reader.integer()
    let commentLength: UInt16 = try reader.integer()
    _ = try reader.bytes(8)
    var header = UInt64(try reader.integer(UInt32.self))
    let name = String(decoding: try reader.bytes(Int(nameLength)), as: UTF8.self)
    let extraEnd = reader.offset + Int(extraLength)
    while reader.offset + 4 <= extraEnd {
      let tag: UInt16 = try reader.integer()
      let length = Int(try reader.integer(UInt16.self))
      let fieldEnd = reader.offset + length
      if tag == 1 {
        if size == UInt32.max { size = try reader.integer() }
        if compressed == UInt32.max { compressed = try reader.integer() }
        if header == UInt32.max { header = try reader.integer() }
      }
      guard fieldEnd <= extraEnd, reader.offset <= fieldEnd else {
        throw .invalid(part: part, rule: "extra fields must fit", got: "\(length) bytes")
      }
      _ = try reader.bytes(fieldEnd - reader.offset)
    }
    _ = try reader.bytes(max(0, extraEnd - reader.offset))
    _ = try reader.bytes(Int(commentLength))
    return Entry(
      name: name, method: method, flags: flags,
      sizeInBytes: Int(clamping: size),
      compressedSizeInBytes: try offset(compressed, in: reader.file),
      headerOffset: try offset(header, in: reader.file))
  }

  /// A foreign size or offset, which no file may have beyond its own size.
  private static func offset(
    _ value: UInt64, in file: MappedFile
  ) throws(WeightsError.Reason) -> Int {
    guard value <= file.count else { throw .truncated(part: part, needs: value, has: file.count) }
    return Int(value)
  }
}

/// An integer as messages show it.
func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
