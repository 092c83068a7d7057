/// Reads a range of a file front to back, little-endian, never past its end.
struct ByteReader {
  let file: MappedFile
  /// What is being read, for messages.
  let part: String
  private(set) var offset: Int
  let end: Int

  /// Reads `range`, which must lie inside the file.
  init(_ file: MappedFile, at offset: Int, count: Int, part: String) throws(WeightsError.Reason) {
    _ = try file.bytes(at: offset, count: count, part: part)
    self.file = file
    self.part = part
    self.offset = offset
    end = offset + count
  }

  var remaining: Int { end - offset }

  /// The next bytes.
  mutating func bytes(_ count: Int) throws(WeightsError.Reason) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else {
      throw .truncated(part: part, needs: UInt64(clamping: count), has: remaining)
    }
    let start = offset
    offset += count
    return UnsafeRawBufferPointer(rebasing: file.storage.bytes[start..<offset])
  }

  /// The next bytes, as many as a foreign 64-bit count says.
  mutating func bytes(count: UInt64) throws(WeightsError.Reason) -> UnsafeRawBufferPointer {
    guard let count = Int(exactly: count) else {
      throw .truncated(part: part, needs: count, has: remaining)
    }
    return try bytes(count)
  }

  /// The next integer.
  mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type = Value.self
  ) throws(WeightsError.Reason) -> Value {
    Value(littleEndian: try bytes(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
  }

  /// The bytes before the next line feed, which is skipped.
  mutating func line() throws(WeightsError.Reason) -> UnsafeRawBufferPointer {
    let rest = UnsafeRawBufferPointer(rebasing: file.storage.bytes[offset..<end])
    guard let length = rest.firstIndex(of: UInt8(ascii: "\n")) else {
      throw .truncated(part: part, needs: UInt64(remaining + 1), has: remaining)
    }
    let line = try bytes(length)
    offset += 1
    return line
  }
}
