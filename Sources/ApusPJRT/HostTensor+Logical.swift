import ApusIR
import ApusRuntime
import ApusStableHLO

extension HostTensor {
  /// The logical tensor that these values are when their axes lie in another order.
  ///
  /// - Precondition: the type is the layout's physical one.
  func logical(from layout: PhysicalType) -> HostTensor {
    precondition(type == layout.physical)
    if layout.isRowMajor { return self }
    let stored = shape.rowMajorStrides
    var strides = Array(repeating: 0, count: shape.rank)
    for (place, axis) in layout.order.enumerated() { strides[axis] = stored[place] }
    return HostTensor(layout.logical) { target in
      withUnsafeBytes { source in
        gather(source, strides, into: target, layout.logical)
      }
    }
  }

  /// Writes a tensor's elements one after the other, each from where the strides lead.
  private func gather(
    _ source: UnsafeRawBufferPointer, _ strides: [Int],
    into target: UnsafeMutableRawBufferPointer, _ type: TensorType
  ) {
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    let size = type.dtype.sizeInBytes
    var index = Array(repeating: 0, count: type.rank)
    var offset = 0
    for element in 0..<type.elementCount {
      (to + element * size).copyMemory(from: from + offset * size, byteCount: size)
      for axis in index.indices.reversed() {
        index[axis] += 1
        offset += strides[axis]
        if index[axis] < type.shape[axis] { break }
        offset -= strides[axis] * index[axis]
        index[axis] = 0
      }
    }
  }
}
