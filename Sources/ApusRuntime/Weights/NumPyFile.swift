import ApusIR

/// Arrays in NumPy's `.npy` format.
///
/// Source: numpy/lib/format.py, versions 1.0 to 3.0.
public enum NumPyFile {
  private static let magic: [UInt8] = [0x93] + "NUMPY".utf8
  private static let longestHeader = 1 << 16

  /// Reads a row-major (C order), little-endian array; the file is mapped, not copied.
  public static func read(_ path: String) throws(WeightsError) -> HostTensor {
    do throws(WeightsError.Reason) {
      return try read(MappedFile(path: path))
    } catch {
      throw WeightsError(path: path, reason: error)
    }
  }

  /// Writes an array, which replaces a file of that name only when complete.
  ///
  /// NumPy has no `bfloat16`: it is refused.
  public static func write(_ tensor: HostTensor, to path: String) throws(WeightsError) {
    guard let name = names[tensor.dtype] else {
      throw WeightsError(
        path: path,
        reason: .unsupported(
          part: "npy", feature: "\(tensor.dtype)", remedy: "convert it to float32 first"))
    }
    do throws(FileError) {
      var file = try AtomicFile(path: path)
      try file.write(header(name, tensor.shape))
      try tensor.withUnsafeBytes { (bytes) throws(FileError) in try file.write(bytes) }
      try file.commit()
    } catch {
      throw WeightsError(path: path, reason: .file(error))
    }
  }

  /// Reads an array from bytes.
  package static func read(_ file: MappedFile) throws(WeightsError.Reason) -> HostTensor {
    try stored("array", in: file, 0..<file.count, allowsUnsupported: false)
      .materialize(from: file)
  }

  /// Reads the header of an array that fills a range of a file.
  ///
  /// - Parameter allowsUnsupported: whether elements of a type that tensors cannot have here are
  ///   described rather than refused.
  static func stored(
    _ name: String, in file: MappedFile, _ range: Range<Int>, allowsUnsupported: Bool
  ) throws(WeightsError.Reason) -> StoredTensor {
    let part = "npy header"
    var prefix = try ByteReader(
      file, at: range.lowerBound, count: min(12, range.count), part: part)
    guard try prefix.bytes(6).elementsEqual(magic) else {
      throw .invalid(part: part, rule: "must begin with \\x93NUMPY", got: "other bytes")
    }
    let version: UInt8 = try prefix.integer()
    let minor: UInt8 = try prefix.integer()
    guard (1...3).contains(version), minor == 0 else {
      throw .unsupported(part: part, feature: "version \(version).\(minor)", remedy: nil)
    }
    let length =
      version == 1
      ? UInt64(try prefix.integer(UInt16.self)) : UInt64(try prefix.integer(UInt32.self))
    guard length <= longestHeader else {
      throw .invalid(
        part: part, rule: "must have at most \(longestHeader) bytes", got: "\(length)")
    }
    let start = prefix.offset + Int(length)
    guard start <= range.upperBound else {
      throw .truncated(part: part, needs: length, has: range.upperBound - prefix.offset)
    }
    let header = try NumPyHeader(
      file.bytes(at: prefix.offset, count: Int(length), part: part))
    let element = try element(header, allowsUnsupported: allowsUnsupported)
    guard let count = header.shape.checkedElementCount, let size = element.sizeInBytes(of: count)
    else { throw .invalid(part: part, rule: "shape must be possible", got: "\(header.shape)") }
    let room = range.upperBound - start
    guard room == size else {
      throw room < size
        ? .truncated(part: "npy data", needs: UInt64(size), has: room)
        : .invalid(
          part: "npy data", rule: "must have \(size) bytes for \(element.name)\(header.shape)",
          got: "\(room)")
    }
    return StoredTensor(
      name: name, element: element, shape: header.shape,
      strides: count == 0 ? header.shape.map { _ in 0 } : header.shape.rowMajorStrides,
      offsetInBytes: start, sizeInBytes: size, storageSizeInBytes: size)
  }

  private static func element(
    _ header: NumPyHeader, allowsUnsupported: Bool
  ) throws(WeightsError.Reason) -> ElementType {
    let part = "npy header"
    let name = header.element
    // "|" says that the order of bytes does not matter, "=" would be the writer's own.
    if let element = names.first(where: { $0.value == name || $0.value.dropFirst() == name })?.key {
      guard !header.isFortranOrder || header.shape.rank < 2 else {
        throw .unsupported(
          part: part, feature: "Fortran order",
          remedy: "in Python: numpy.save(path, numpy.ascontiguousarray(array))")
      }
      return ElementType(element)
    }
    if allowsUnsupported, let bits = otherSizesInBits[name] {
      return ElementType(unsupported: name, bits: bits)
    }
    let isSwapped = name.first == ">" && names.values.contains("<" + name.dropFirst())
    throw .unsupported(
      part: part, feature: isSwapped ? "big-endian \(name)" : "element type \(name)",
      remedy: isSwapped
        ? "in Python: array.astype(array.dtype.newbyteorder('<'))"
        : "in Python: array.astype('float32')")
  }

  private static let names: [DType: String] = [
    .float32: "<f4", .float64: "<f8", .float16: "<f2", .int64: "<i8", .int32: "<i4",
    .int16: "<i2", .int8: "|i1", .uint8: "|u1", .bool: "|b1",
  ]

  private static let otherSizesInBits = ["<u2": 16, "<u4": 32, "<u8": 64, "<c8": 64, "<c16": 128]

  /// What comes before the elements, or `nil` where NumPy has no such type.
  static func header(_ type: TensorType) -> [UInt8]? {
    names[type.dtype].map { header($0, type.shape) }
  }

  private static func header(_ element: String, _ shape: Shape) -> [UInt8] {
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.rank == 1 ? "," : "")
    let text = "{'descr': '\(element)', 'fortran_order': False, 'shape': (\(extents)), }"
    // The data begin at a multiple of 64 bytes, after spaces and a line feed.
    let padding = 63 - (10 + text.utf8.count + 1 + 63) % 64
    let length = text.utf8.count + padding + 1
    return magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + text.utf8
      + Array(repeating: UInt8(ascii: " "), count: padding) + [UInt8(ascii: "\n")]
  }
}
