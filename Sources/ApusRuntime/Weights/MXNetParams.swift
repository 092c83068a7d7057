import ApusIR

/// MXNet's `.params`: a list of arrays followed by a list of their names, little-endian.
///
/// Source: apache/mxnet, src/ndarray/ndarray.cc, `NDArray::Save`, `NDArray::Load` and
/// `NDArray::LegacyLoad`; the codes of the types are mshadow's (base.h).
enum MXNetParams {
  static let magic: UInt64 = 0x112
  static let part = "MXNet params"

  /// How an array begins; those before version 1 begin with their rank.
  enum Version {
    static let one: UInt32 = 0xf993_fac8
    static let two: UInt32 = 0xf993_fac9
    static let three: UInt32 = 0xf993_faca
  }

  /// More than NumPy has; MXNet itself has no limit.
  private static let largestRank: UInt32 = 64
  private static let longestName: UInt64 = 1 << 16
  /// Bytes of the smallest array: a rank, an extent of 0, a device, a type.
  private static let smallestArray = 20

  static func isList(_ file: MappedFile) -> Bool {
    guard file.count >= 16 else { return false }
    return UnsafeRawBufferPointer(file.storage.bytes).loadUnaligned(as: UInt64.self).littleEndian
      == magic
  }

  /// Reads the descriptions of all arrays; those without names are called 0, 1, ….
  static func read(_ file: MappedFile) throws(WeightsError.Reason) -> [StoredTensor] {
    var reader = try ByteReader(file, at: 0, count: file.count, part: part)
    _ = try reader.bytes(16)
    let count: UInt64 = try reader.integer()
    // A hostile count must fail before the arrays are, not when memory is at its end.
    guard count <= UInt64(reader.remaining / smallestArray) else {
      throw .truncated(
        part: "\(part): \(count) arrays",
        needs: count.multipliedReportingOverflow(by: UInt64(smallestArray)).overflow
          ? .max : count * UInt64(smallestArray), has: reader.remaining)
    }
    var tensors: [StoredTensor] = []
    for index in 0..<Int(count) { tensors.append(try array(index, &reader)) }
    let names = try names(&reader)
    guard names.isEmpty || names.count == tensors.count else {
      throw .invalid(
        part: part, rule: "must have as many names as arrays (\(tensors.count)) or none",
        got: "\(names.count)")
    }
    for (index, name) in names.enumerated() { tensors[index].name = name }
    guard reader.remaining == 0 else {
      throw .invalid(part: part, rule: "must end after the names", got: "more bytes")
    }
    return tensors
  }

  private static func array(
    _ index: Int, _ reader: inout ByteReader
  ) throws(WeightsError.Reason) -> StoredTensor {
    let part = "\(Self.part): array \(index)"
    let shape = try shape(&reader, part: part)
    // Kind and number of the device it was on.
    _ = try reader.bytes(8)
    let code: Int32 = try reader.integer()
    guard let element = elements[code] else {
      throw .invalid(part: part, rule: "its type must have a code from 0 to 12", got: "\(code)")
    }
    guard let count = shape.checkedElementCount, let size = element.sizeInBytes(of: count) else {
      throw .invalid(part: part, rule: "its shape must be possible", got: "\(shape)")
    }
    guard size <= reader.remaining else {
      throw .truncated(part: part, needs: UInt64(size), has: reader.remaining)
    }
    let start = reader.offset
    _ = try reader.bytes(size)
    return StoredTensor(
      name: "\(index)", element: element, shape: shape,
      strides: count == 0 ? shape.map { _ in 0 } : shape.rowMajorStrides,
      offsetInBytes: start, sizeInBytes: size, storageSizeInBytes: size)
  }

  private static func shape(
    _ reader: inout ByteReader, part: String
  ) throws(WeightsError.Reason) -> Shape {
    let version: UInt32 = try reader.integer()
    let isVersioned = (Version.one...Version.three).contains(version)
    if isVersioned && version != Version.one {
      let storage: Int32 = try reader.integer()
      guard storage == 0 else { throw notDense(storage, part: part) }
    }
    let rank: UInt32 = isVersioned ? try reader.integer() : version
    guard rank <= largestRank else {
      throw .invalid(
        part: part, rule: "its rank must be at most \(largestRank)",
        got: isVersioned ? "\(Int32(bitPattern: rank))" : hex(rank))
    }
    // Only version 3 has scalars: a rank of 0 meant before that nothing is known of the array.
    guard rank > 0 || version == Version.three else {
      throw .invalid(part: part, rule: "must have values", got: "an array without a shape")
    }
    var extents: [Int] = []
    for _ in 0..<rank {
      let extent =
        isVersioned ? try reader.integer(Int64.self) : Int64(try reader.integer(UInt32.self))
      guard extent >= 0 else {
        throw .invalid(part: part, rule: "its extents must be at least 0", got: "\(extent)")
      }
      extents.append(Int(extent))
    }
    return Shape(extents)
  }

  private static func notDense(_ storage: Int32, part: String) -> WeightsError.Reason {
    let remedy = "in Python: save array.tostype('default')"
    return switch storage {
    case 1: .unsupported(part: part, feature: "sparse storage (row_sparse)", remedy: remedy)
    case 2: .unsupported(part: part, feature: "sparse storage (csr)", remedy: remedy)
    default:
      .invalid(
        part: part, rule: "its storage must be 0 (dense), 1 (row_sparse) or 2 (csr)",
        got: "\(storage)")
    }
  }

  private static func names(
    _ reader: inout ByteReader
  ) throws(WeightsError.Reason) -> [String] {
    let count: UInt64 = try reader.integer()
    guard count <= UInt64(reader.remaining / 8) else {
      throw .truncated(
        part: "\(part): \(count) names",
        needs: count > 1 << 60 ? .max : count * 8, has: reader.remaining)
    }
    var names: [String] = []
    var known: Set<String> = []
    for _ in 0..<count {
      let length: UInt64 = try reader.integer()
      guard length <= longestName else {
        throw .invalid(
          part: "\(part): name \(names.count)",
          rule: "must have at most \(longestName) bytes", got: "\(length)")
      }
      guard let name = String(validating: try reader.bytes(count: length), as: UTF8.self) else {
        throw .invalid(
          part: "\(part): name \(names.count)", rule: "must be UTF-8", got: "other bytes")
      }
      guard known.insert(name).inserted else {
        throw .invalid(part: part, rule: "names must be unique", got: "\(name) twice")
      }
      names.append(name)
    }
    return names
  }

  /// The code of an element type, which every type here has.
  static func code(of dtype: DType) -> Int32 {
    switch dtype {
    case .float32: 0
    case .float64: 1
    case .float16: 2
    case .uint8: 3
    case .int32: 4
    case .int8: 5
    case .int64: 6
    case .bool: 7
    case .int16: 8
    case .bfloat16: 12
    }
  }

  private static let elements: [Int32: ElementType] = {
    var table: [Int32: ElementType] = [:]
    for dtype in DType.allCases { table[code(of: dtype)] = ElementType(dtype) }
    for (code, name, bits) in [(9, "uint16", 16), (10, "uint32", 32), (11, "uint64", 64)] {
      table[Int32(code)] = ElementType(unsupported: name, bits: bits)
    }
    return table
  }()
}
