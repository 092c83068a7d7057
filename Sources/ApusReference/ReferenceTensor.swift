import ApusIR
import ApusRuntime

/// A tensor as the reference evaluator sees it: numbers in row-major order, each of them one that
/// the element type represents.
public struct ReferenceTensor: Hashable, Sendable {
  public let type: TensorType
  /// Row-major; bool is 0 or 1.
  public let values: [Double]

  public var shape: Shape { type.shape }

  /// Rounds values to the element type: floating-point numbers to nearest, ties to even; integers
  /// toward zero, saturating at the ends of their range (NaN becomes 0); bool is 1 for everything
  /// but zero.
  ///
  /// - Precondition: as many values as the shape has elements.
  public init(_ type: TensorType, rounding values: [Double]) {
    precondition(values.count == type.elementCount)
    self.type = type
    self.values = type.dtype.rounded(values)
  }

  /// The values of a tensor in host memory; `int64` beyond 2⁵³ rounds to nearest.
  public init(_ tensor: HostTensor) {
    type = tensor.type
    values = tensor.doubles
  }
}

extension HostTensor {
  /// The values of a reference tensor, in its element type.
  public init(_ tensor: ReferenceTensor) {
    self.init(tensor.type, rounding: tensor.values)
  }
}
