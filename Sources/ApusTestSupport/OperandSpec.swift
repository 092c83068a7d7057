import ApusIR

/// The type of an operand and what its values are drawn from.
public struct OperandSpec: Hashable, Sendable {
  public enum Values: Hashable, Sendable {
    /// Independent and uniform in a range.
    case uniform(ClosedRange<Double>)
    /// Whole numbers, independent and uniform; with ties.
    case integers(ClosedRange<Int>)
    /// Evenly spaced over a range and shuffled, so that no two are equal.
    case distinct(ClosedRange<Double>)
    /// These, again and again in this order.
    case listed([Double])
  }

  public let type: TensorType
  public let values: Values

  public init(_ type: TensorType, _ values: Values) {
    self.type = type
    self.values = values
  }

  static func uniform(
    _ shape: Shape, _ range: ClosedRange<Double> = -2...2, _ dtype: DType = .float32
  ) -> OperandSpec {
    OperandSpec(TensorType(dtype, shape), .uniform(range))
  }

  static func integers(
    _ shape: Shape, _ range: ClosedRange<Int>, _ dtype: DType = .float32
  ) -> OperandSpec {
    OperandSpec(TensorType(dtype, shape), .integers(range))
  }

  static func distinct(
    _ shape: Shape, _ range: ClosedRange<Double> = -3...3, _ dtype: DType = .float32
  ) -> OperandSpec {
    OperandSpec(TensorType(dtype, shape), .distinct(range))
  }

  /// A vector of the listed values.
  static func listed(_ values: [Double], _ dtype: DType = .float32) -> OperandSpec {
    OperandSpec(TensorType(dtype, [values.count]), .listed(values))
  }
}

extension OperandSpec: CustomStringConvertible {
  public var description: String {
    switch values {
    case .uniform(let range): "\(type) uniform [\(range.lowerBound), \(range.upperBound)]"
    case .integers(let range): "\(type) integers [\(range.lowerBound), \(range.upperBound)]"
    case .distinct(let range): "\(type) distinct [\(range.lowerBound), \(range.upperBound)]"
    case .listed(let values): "\(type) listed \(values)"
    }
  }
}
