import ApusIR

extension Shape {
  /// For each element of this shape, row-major, the offset that `strides` give it from `start`.
  func offsets(strides: [Int], from start: Int = 0) -> [Int] {
    var offsets = [start]
    offsets.reserveCapacity(elementCount)
    for (extent, stride) in zip(extents, strides) {
      offsets = offsets.flatMap { offset in (0..<extent).lazy.map { offset + $0 * stride } }
    }
    return offsets
  }
}
