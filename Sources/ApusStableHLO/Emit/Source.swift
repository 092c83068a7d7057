import ApusIR

extension Constant {
  /// The values as they lie in an order.
  func emit(in order: [Int], into function: inout Function) -> Term {
    let physical = PhysicalType(type, order: order).physical
    if let splat { return function.splat(splat, physical) }
    let strides = type.shape.rowMajorStrides
    let list = nestedList(
      physical.shape.extents[...], strides: order.map { strides[$0] }[...], from: 0)
    return function.apply(
      "constant", [], ["value = dense<\(list)> : \(physical.spelling)"], to: physical)
  }

  private func nestedList(
    _ extents: ArraySlice<Int>, strides: ArraySlice<Int>, from start: Int
  ) -> String {
    guard let extent = extents.first, let stride = strides.first else {
      return type.dtype.literal(values[start])
    }
    let parts = (0..<extent).map { index in
      nestedList(extents.dropFirst(), strides: strides.dropFirst(), from: start + index * stride)
    }
    return "[" + parts.joined(separator: ", ") + "]"
  }
}

extension Iota {
  func emit(in order: [Int], into function: inout Function) -> Term {
    let physical = PhysicalType(type, order: order).physical
    let dtype = countsExactly ? type.dtype : .int64
    let indices = function.apply(
      "iota", [], ["iota_dimension = \(order.firstIndex(of: axis)!) : i64"],
      to: physical.with(dtype))
    return function.convert(indices, to: type.dtype)
  }

  /// Whether the element type itself can be counted in; others round or saturate.
  private var countsExactly: Bool {
    switch type.dtype {
    case .float32, .float64, .int64: true
    case .int32, .int16, .int8, .uint8:
      type.dtype.integers!.contains(Int64(type.shape[axis] - 1))
    case .float16, .bfloat16, .bool: false
    }
  }
}
