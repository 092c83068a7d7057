import ApusIR

/// The safetensors format: eight bytes of header length, a JSON header, the tensors' bytes.
///
/// Source: "Format" in the README of huggingface/safetensors.
enum Safetensors {
  static let part = "safetensors header"
  static let longestHeader = 100_000_000
  static let metadataKey = "__metadata__"

  /// What a header says.
  struct Contents {
    var metadata: [String: String] = [:]
    var tensors: [StoredTensor] = []
  }

  /// Reads and checks the header; tensors come in the order of their bytes.
  static func read(_ file: MappedFile) throws(WeightsError.Reason) -> Contents {
    var prefix = try ByteReader(file, at: 0, count: min(8, file.count), part: part)
    let length: UInt64 = try prefix.integer()
    guard length <= longestHeader else {
      throw .invalid(
        part: part, rule: "must have at most \(longestHeader) bytes", got: "\(length)")
    }
    let data = 8 + Int(length)
    var json = JSONReader(try ByteReader(file, at: 8, count: Int(length), part: part))
    var contents = Contents()
    try json.object { (json, key) throws(WeightsError.Reason) in
      if key == metadataKey {
        try json.object { (json, key) throws(WeightsError.Reason) in
          contents.metadata[key] = try json.string()
        }
      } else {
        contents.tensors.append(try tensor(key, &json, dataOffset: data, in: file))
      }
    }
    try json.finish()
    contents.tensors.sort {
      ($0.offsetInBytes, $0.sizeInBytes, $0.name) < ($1.offsetInBytes, $1.sizeInBytes, $1.name)
    }
    try checkCover(contents.tensors, from: data, to: file.count)
    return contents
  }

  private static func tensor(
    _ name: String, _ json: inout JSONReader, dataOffset: Int, in file: MappedFile
  ) throws(WeightsError.Reason) -> StoredTensor {
    var dtype: String?
    var shape: Shape?
    var offsets: [Int]?
    try json.object { (json, key) throws(WeightsError.Reason) in
      switch key {
      case "dtype": dtype = try json.string()
      case "shape": shape = Shape(try json.integers(limit: 64))
      case "data_offsets": offsets = try json.integers(limit: 2)
      default: throw json.invalid("\(name): must have dtype, shape, data_offsets only", got: key)
      }
    }
    func invalid(_ rule: String, got: String) -> WeightsError.Reason {
      .invalid(part: "\(part): \(name)", rule: rule, got: got)
    }
    guard let dtype, let shape, let offsets, offsets.count == 2 else {
      throw invalid("must have dtype, shape and two data_offsets", got: "fewer")
    }
    guard let element = elements[dtype] else { throw invalid("dtype must be known", got: dtype) }
    guard offsets[0] <= offsets[1], offsets[1] <= file.count - dataOffset else {
      throw invalid(
        "data_offsets must ascend and lie inside the file's \(file.count - dataOffset) bytes",
        got: "\(offsets)")
    }
    guard let count = shape.checkedElementCount, let size = element.sizeInBytes(of: count),
      size == offsets[1] - offsets[0]
    else {
      throw invalid(
        "data_offsets must span the bytes of \(dtype)\(shape)", got: "\(offsets[1] - offsets[0])")
    }
    return StoredTensor(
      name: name, element: element, shape: shape,
      strides: count == 0 ? shape.map { _ in 0 } : shape.rowMajorStrides,
      offsetInBytes: dataOffset + offsets[0], sizeInBytes: size, storageSizeInBytes: size)
  }

  /// Tensors must follow each other without overlap or hole, up to the file's end.
  private static func checkCover(
    _ tensors: [StoredTensor], from start: Int, to end: Int
  ) throws(WeightsError.Reason) {
    var position = start
    for tensor in tensors {
      guard tensor.offsetInBytes == position else {
        throw .invalid(
          part: "\(part): \(tensor.name)",
          rule: tensor.offsetInBytes < position
            ? "tensors must not overlap" : "there must be no hole between tensors",
          got: "a tensor at \(tensor.offsetInBytes - start) after one that ends at "
            + "\(position - start)")
      }
      position += tensor.sizeInBytes
    }
    guard position == end else {
      throw .invalid(
        part: part, rule: "tensors must fill the file's \(end - start) bytes",
        got: "\(position - start)")
    }
  }

  /// What the format calls an element type.
  static func name(of dtype: DType) -> String {
    switch dtype {
    case .float32: "F32"
    case .float64: "F64"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .int64: "I64"
    case .int32: "I32"
    case .int16: "I16"
    case .int8: "I8"
    case .uint8: "U8"
    case .bool: "BOOL"
    }
  }

  private static let elements: [String: ElementType] = {
    var table: [String: ElementType] = [:]
    for dtype in DType.allCases { table[name(of: dtype)] = ElementType(dtype) }
    for (name, bits) in [
      ("U16", 16), ("U32", 32), ("U64", 64), ("C64", 64), ("F8_E5M2", 8), ("F8_E4M3", 8),
      ("F8_E8M0", 8), ("F6_E2M3", 6), ("F6_E3M2", 6), ("F4", 4),
    ] {
      table[name] = ElementType(unsupported: name, bits: bits)
    }
    return table
  }()
}
