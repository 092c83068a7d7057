/// The type of a tensor's elements.
public enum DType: String, Hashable, Sendable, CaseIterable {
  case float32, float64, float16, bfloat16
  case int64, int32, int16, int8, uint8
  case bool

  /// Bytes of one element.
  public var sizeInBytes: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Whether elements are floating-point numbers.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    case .int64, .int32, .int16, .int8, .uint8, .bool: false
    }
  }
}

extension DType: CustomStringConvertible {
  public var description: String { rawValue }
}
