/// A zip archive while it is written: entries are stored, their bytes begin at multiples of 64.
///
/// Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3 (zip64).
package struct ZipWriter: ~Copyable {
  private struct Entry {
    let name: [UInt8]
    let checksum: UInt32
    let size: UInt64
    let offset: UInt64
  }

  static let alignment: UInt64 = 64
  /// The field that PyTorch pads with; readers skip what they do not know.
  private static let paddingTag: UInt16 = 0x4246

  private var file: WeightOutput
  private let path: String
  private var entries: [Entry] = []
  /// The largest number in a field of 32 bits; a larger one goes into a field of 64.
  private let largest: UInt64

  package init(path: String, largest: UInt64 = UInt64(UInt32.max) - 1) throws(WeightsError) {
    file = try WeightOutput(path: path)
    self.path = path
    self.largest = largest
  }

  /// Adds an entry that consists of `start` and the bytes of `tensor`.
  package mutating func add(
    _ name: String, _ start: [UInt8], _ tensor: HostTensor? = nil
  ) throws(WeightsError) {
    var checksum = CRC32()
    start.withUnsafeBytes { checksum.update($0) }
    tensor?.withUnsafeBytes { checksum.update($0) }
    guard name.utf8.count <= UInt16.max else {
      throw WeightsError(
        path: path,
        reason: .invalid(
          part: "zip entry", rule: "names must have at most \(UInt16.max) bytes",
          got: "\(name.utf8.count)"))
    }
    let entry = Entry(
      name: Array(name.utf8), checksum: checksum.value,
      size: UInt64(start.count + (tensor?.type.sizeInBytes ?? 0)), offset: file.count)
    try file.write(localHeader(entry))
    try file.write(start)
    if let tensor { try file.write(tensor) }
    entries.append(entry)
  }

  /// Writes the directory and completes the file.
  package consuming func commit() throws(WeightsError) {
    let start = file.count
    for entry in entries { try file.write(directoryHeader(entry)) }
    let count = UInt64(entries.count)
    let size = file.count - start
    if count >= UInt16.max || max(size, start) > largest {
      let record = file.count
      try file.write(Self.signature(6, 6))
      try file.write(integer: UInt64(44))
      try file.write([45, 0, 45, 0] + [UInt8](repeating: 0, count: 8))
      for number in [count, count, size, start] { try file.write(integer: number) }
      try file.write(Self.signature(6, 7) + [0, 0, 0, 0])
      try file.write(integer: record)
      try file.write(integer: UInt32(1))
    }
    try file.write(Self.signature(5, 6) + [0, 0, 0, 0])
    for _ in 0..<2 { try file.write(integer: UInt16(clamping: count)) }
    try file.write(integer: short(size))
    try file.write(integer: short(start))
    try file.write(integer: UInt16(0))
    try file.commit()
  }

  private func localHeader(_ entry: Entry) -> [UInt8] {
    var extra: [UInt8] = []
    if entry.size > largest {
      extra = Self.field(1, entry.size.littleEndianBytes + entry.size.littleEndianBytes)
    }
    let unpadded = entry.offset + UInt64(30 + entry.name.count + extra.count + 4)
    let padding = Int((Self.alignment - unpadded % Self.alignment) % Self.alignment)
    extra += Self.field(Self.paddingTag, Array(repeating: UInt8(ascii: "Z"), count: padding))
    return Self.signature(3, 4) + common(entry) + UInt16(extra.count).littleEndianBytes
      + entry.name + extra
  }

  private func directoryHeader(_ entry: Entry) -> [UInt8] {
    var wide: [UInt8] = []
    if entry.size > largest {
      wide += entry.size.littleEndianBytes + entry.size.littleEndianBytes
    }
    if entry.offset > largest { wide += entry.offset.littleEndianBytes }
    let extra = wide.isEmpty ? [] : Self.field(1, wide)
    // No comment, the first disk, no attributes.
    let rest = [UInt8](repeating: 0, count: 10)
    return Self.signature(1, 2) + [45, 0] + common(entry)
      + UInt16(extra.count).littleEndianBytes + rest + short(entry.offset).littleEndianBytes
      + entry.name + extra
  }

  /// What both headers have: from the version that is needed to the length of the name.
  private func common(_ entry: Entry) -> [UInt8] {
    // Names are UTF-8; stored; the first of January 1980.
    let start: [UInt8] = [45, 0, 0, 8, 0, 0, 0, 0, 33, 0]
    let size = short(entry.size).littleEndianBytes
    return start + entry.checksum.littleEndianBytes + size + size
      + UInt16(entry.name.count).littleEndianBytes
  }

  private func short(_ number: UInt64) -> UInt32 { number > largest ? .max : UInt32(number) }

  private static func signature(_ a: UInt8, _ b: UInt8) -> [UInt8] { Array("PK".utf8) + [a, b] }

  private static func field(_ tag: UInt16, _ bytes: [UInt8]) -> [UInt8] {
    tag.littleEndianBytes + UInt16(bytes.count).littleEndianBytes + bytes
  }
}
