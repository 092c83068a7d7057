import ApusIR

/// Where a tensor lies in a weight file; whoever makes one has checked that it lies inside.
struct StoredTensor: Sendable {
  var name: String
  let element: ElementType
  /// As the file has it.
  let shape: Shape
  /// Another shape of as many elements, to be seen instead.
  var presentedShape: Shape?
  /// In elements.
  let strides: [Int]
  /// Of the first element, from the beginning of the file.
  let offsetInBytes: Int
  /// Of a dense copy.
  let sizeInBytes: Int
  /// Of the memory it is a view of.
  let storageSizeInBytes: Int

  /// The largest dense copy of a tensor that repeats its storage.
  static let largestExpansionInBytes = 1 << 28

  var isDense: Bool {
    if shape.contains(0) { return true }
    var expected = 1
    for axis in shape.indices.reversed() {
      if shape[axis] != 1 && strides[axis] != expected { return false }
      expected *= shape[axis]
    }
    return true
  }

  /// The tensor's values: a view of the file where it is dense and aligned, else a copy.
  func materialize(from file: MappedFile) throws(WeightsError.Reason) -> HostTensor {
    let tensor = try materializeStored(from: file)
    return presentedShape.map(tensor.reshaped) ?? tensor
  }

  private func materializeStored(
    from file: MappedFile
  ) throws(WeightsError.Reason) -> HostTensor {
    guard let dtype = element.dtype else {
      throw .unsupportedType(tensor: name, dtype: element.name)
    }
    let type = TensorType(dtype, shape)
    let isDense = isDense
    if isDense && dtype != .bool && offsetInBytes % dtype.sizeInBytes == 0 {
      return HostTensor(type, storage: file.storage, offsetInBytes: offsetInBytes)
    }
    guard sizeInBytes <= max(storageSizeInBytes, Self.largestExpansionInBytes) else {
      throw .expandsTooFar(tensor: name, bytes: sizeInBytes, storage: storageSizeInBytes)
    }
    return HostTensor(type) { target in
      let source = UnsafeRawBufferPointer(rebasing: file.storage.bytes[offsetInBytes...])
      if isDense && dtype != .bool {
        target.copyMemory(from: .init(rebasing: source[..<sizeInBytes]))
      } else {
        switch dtype.sizeInBytes {
        case 8: gather(UInt64.self, from: source, into: target)
        case 4: gather(UInt32.self, from: source, into: target)
        case 2: gather(UInt16.self, from: source, into: target)
        default: gather(UInt8.self, from: source, into: target)
        }
        // A byte other than 0 and 1 is no `Bool` in Swift.
        if dtype == .bool {
          for index in target.indices where target[index] > 1 { target[index] = 1 }
        }
      }
      withExtendedLifetime(file) {}
    }
  }

  /// Copies strided elements row-major.
  private func gather<Word: BitwiseCopyable>(
    _ word: Word.Type, from source: UnsafeRawBufferPointer,
    into target: UnsafeMutableRawBufferPointer
  ) {
    let size = MemoryLayout<Word>.size
    var index = Array(repeating: 0, count: shape.rank)
    var position = 0
    for element in 0..<target.count / size {
      let value = source.loadUnaligned(fromByteOffset: position * size, as: Word.self)
      target.storeBytes(of: value, toByteOffset: element * size, as: Word.self)
      for axis in shape.indices.reversed() {
        index[axis] += 1
        position += strides[axis]
        if index[axis] < shape[axis] { break }
        position -= strides[axis] * shape[axis]
        index[axis] = 0
      }
    }
  }
}
