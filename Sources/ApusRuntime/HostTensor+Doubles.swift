import ApusIR

extension HostTensor {
  /// Makes a tensor of the representable values nearest to the given ones, row-major.
  ///
  /// Floating-point types round to nearest, ties to even; integers round toward zero and saturate
  /// (NaN becomes 0); bool is true for everything but zero.
  ///
  /// - Precondition: as many values as the shape has elements.
  public init(_ type: TensorType, rounding values: [Double]) {
    let values = type.dtype.rounded(values)
    switch type.dtype {
    case .float64: self.init(type, values)
    case .float32: self.init(type, values.map { Float($0) })
    case .float16: self.init(type, values.map { Float16($0) })
    case .bfloat16: self.init(type, values.map { UInt16(Float($0).bitPattern >> 16) })
    case .int64: self.init(type, values.map { saturated($0, to: Int64.self) })
    case .int32: self.init(type, values.map { Int32($0) })
    case .int16: self.init(type, values.map { Int16($0) })
    case .int8: self.init(type, values.map { Int8($0) })
    case .uint8, .bool: self.init(type, values.map { UInt8($0) })
    }
  }

  /// The values as `Double`s, row-major; `int64` beyond 2⁵³ rounds to nearest, bool is 0 or 1.
  public var doubles: [Double] {
    switch dtype {
    case .float64: values(as: Double.self)
    case .float32: values(as: Float.self).map { Double($0) }
    case .float16: values(as: Float16.self).map { Double($0) }
    case .bfloat16:
      values(as: UInt16.self).map { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .int64: values(as: Int64.self).map { Double($0) }
    case .int32: values(as: Int32.self).map { Double($0) }
    case .int16: values(as: Int16.self).map { Double($0) }
    case .int8: values(as: Int8.self).map { Double($0) }
    case .uint8: values(as: UInt8.self).map { Double($0) }
    case .bool: values(as: UInt8.self).map { $0 == 0 ? 0 : 1 }
    }
  }
}

extension DType {
  /// The representable values nearest to the given ones; see ``HostTensor/init(_:rounding:)``.
  public func rounded(_ values: [Double]) -> [Double] {
    switch self {
    case .float64: values
    case .float32: values.map { Double(Float($0)) }
    case .float16: values.map { nearest($0, fractionBits: 10, exponents: -14...15) }
    case .bfloat16: values.map { nearest($0, fractionBits: 7, exponents: -126...127) }
    case .int64: values.map { Double(saturated($0, to: Int64.self)) }
    case .int32: values.map { Double(saturated($0, to: Int32.self)) }
    case .int16: values.map { Double(saturated($0, to: Int16.self)) }
    case .int8: values.map { Double(saturated($0, to: Int8.self)) }
    case .uint8: values.map { Double(saturated($0, to: UInt8.self)) }
    case .bool: values.map { $0 == 0 ? 0 : 1 }
    }
  }
}

/// The nearest number, ties to even, of a binary floating-point format (IEEE 754-2019, 4.3.1).
private func nearest(
  _ value: Double, fractionBits: Int, exponents: ClosedRange<Int>
) -> Double {
  guard value.isFinite, value != 0 else { return value }
  // Below the smallest exponent the spacing stays the same: subnormal numbers.
  let exponent = Swift.max(Int(value.exponent), exponents.lowerBound)
  let spacing = Double(sign: .plus, exponent: exponent - fractionBits, significand: 1)
  let rounded = (value / spacing).rounded(.toNearestOrEven) * spacing
  let limit = Double(sign: .plus, exponent: exponents.upperBound + 1, significand: 1)
  return rounded.magnitude < limit ? rounded : Double(signOf: value, magnitudeOf: .infinity)
}

/// The integer part, or the nearest end of the type's range; 0 for NaN.
private func saturated<Integer: FixedWidthInteger>(
  _ value: Double, to type: Integer.Type
) -> Integer {
  if value.isNaN { return 0 }
  if value >= Double(Integer.max) { return .max }
  if value <= Double(Integer.min) { return .min }
  return Integer(value)
}
