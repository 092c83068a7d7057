import Apus

extension HostTensor {
  /// Some rows of the first axis, as a view.
  func rows(_ range: Range<Int>) -> HostTensor {
    let rowBytes = type.sizeInBytes / shape[0]
    return HostTensor(
      TensorType(dtype, Shape([range.count] + shape.dropFirst())), storage: storage,
      offsetInBytes: offsetInBytes + range.lowerBound * rowBytes)
  }
}
