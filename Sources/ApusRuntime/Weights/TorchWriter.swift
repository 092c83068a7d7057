import ApusIR

extension TorchCheckpoint {
  /// Writes an `OrderedDict` of tensors, each with a storage of its own, as `torch.save` does.
  ///
  /// `torch.load(path, weights_only=True)` reads it.
  static func write(
    _ contents: [WeightFile.Content], to path: String
  ) throws(WeightsError) {
    var file = try ZipWriter(path: path)
    try file.add("archive/data.pkl", PickleWriter.stateDict(contents))
    try file.add("archive/byteorder", Array("little".utf8))
    for (key, content) in contents.enumerated() {
      try file.add("archive/data/\(key)", [], try content.load())
    }
    try file.add("archive/version", Array("3\n".utf8))
    try file.commit()
  }
}

/// Writes pickles of protocol 2.
///
/// Source: Lib/pickletools.py of CPython; torch/_utils.py, `_rebuild_tensor_v2`.
private struct PickleWriter {
  private var bytes: [UInt8] = []

  static func stateDict(_ contents: [WeightFile.Content]) -> [UInt8] {
    var pickle = PickleWriter()
    pickle.bytes = [0x80, 2]
    pickle.emptyOrderedDict()
    pickle.emit("(")
    for (key, content) in contents.enumerated() {
      pickle.text(content.name)
      pickle.tensor(content.type, key: "\(key)")
    }
    pickle.emit("u.")
    return pickle.bytes
  }

  private mutating func tensor(_ type: TensorType, key: String) {
    emit("ctorch._utils\n_rebuild_tensor_v2\n((")
    text("storage")
    emit("ctorch\n\(Self.storage(of: type.dtype))\n")
    text(key)
    text("cpu")
    integer(type.elementCount)
    emit("tQ")
    integer(0)
    tuple(type.shape.extents)
    // The strides of a tensor without elements do not matter, and their product may overflow.
    tuple(type.elementCount == 0 ? type.shape.map { _ in 1 } : type.shape.rowMajorStrides)
    // It needs no gradient and has no hooks.
    emit("\u{89}")
    emptyOrderedDict()
    emit("tR")
  }

  private mutating func emptyOrderedDict() { emit("ccollections\nOrderedDict\n)R") }

  private mutating func tuple(_ numbers: [Int]) {
    emit("(")
    for number in numbers { integer(number) }
    emit("t")
  }

  private mutating func text(_ text: String) {
    emit("X")
    bytes += UInt32(text.utf8.count).littleEndianBytes + Array(text.utf8)
  }

  private mutating func integer(_ number: Int) {
    if let short = Int32(exactly: number) {
      emit("J")
      bytes += short.littleEndianBytes
    } else {
      bytes += [0x8a, 8] + Int64(number).littleEndianBytes
    }
  }

  /// Appends opcodes, one a scalar.
  private mutating func emit(_ opcodes: String) {
    bytes += opcodes.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
  }

  private static func storage(of dtype: DType) -> String {
    switch dtype {
    case .float32: "FloatStorage"
    case .float64: "DoubleStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .int64: "LongStorage"
    case .int32: "IntStorage"
    case .int16: "ShortStorage"
    case .int8: "CharStorage"
    case .uint8: "ByteStorage"
    case .bool: "BoolStorage"
    }
  }
}
