import ApusIR
import CPJRT

extension DType {
  /// The number of the type in the API.
  var elementType: UInt32 {
    let number =
      switch self {
      case .bool: PJRTElementBool
      case .int8: PJRTElementInt8
      case .int16: PJRTElementInt16
      case .int32: PJRTElementInt32
      case .int64: PJRTElementInt64
      case .uint8: PJRTElementUInt8
      case .float16: PJRTElementFloat16
      case .float32: PJRTElementFloat32
      case .float64: PJRTElementFloat64
      case .bfloat16: PJRTElementBFloat16
      }
    return UInt32(number)
  }

  /// The type of a number of the API; `nil` for those Apus has no tensors of.
  init?(elementType: UInt32) {
    guard let type = Self.allCases.first(where: { $0.elementType == elementType }) else {
      return nil
    }
    self = type
  }
}
