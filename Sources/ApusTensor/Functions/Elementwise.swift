import ApusIR

extension Tensor {
  public static func + (a: Tensor, b: Tensor) throws -> Tensor { try binary(.add, a, b) }
  public static func - (a: Tensor, b: Tensor) throws -> Tensor { try binary(.subtract, a, b) }
  public static func * (a: Tensor, b: Tensor) throws -> Tensor { try binary(.multiply, a, b) }
  public static func / (a: Tensor, b: Tensor) throws -> Tensor { try binary(.divide, a, b) }

  public static func + (a: Tensor, b: Double) throws -> Tensor { try a + a.constant(b) }
  public static func - (a: Tensor, b: Double) throws -> Tensor { try a - a.constant(b) }
  public static func * (a: Tensor, b: Double) throws -> Tensor { try a * a.constant(b) }
  public static func / (a: Tensor, b: Double) throws -> Tensor { try a / a.constant(b) }
  public static func + (a: Double, b: Tensor) throws -> Tensor { try b.constant(a) + b }
  public static func - (a: Double, b: Tensor) throws -> Tensor { try b.constant(a) - b }
  public static func * (a: Double, b: Tensor) throws -> Tensor { try b.constant(a) * b }
  public static func / (a: Double, b: Tensor) throws -> Tensor { try b.constant(a) / b }

  public static prefix func - (x: Tensor) throws -> Tensor { try record(.unary(.negate), x) }

  /// Compares element by element; the result is `bool`.
  public func compared(_ comparison: Comparison, _ other: Tensor) throws -> Tensor {
    let (a, b) = try Self.broadcastTogether(self, other)
    return try Self.record(.compare(comparison), a, b)
  }

  /// The values as another element type.
  public func converted(to dtype: DType) throws -> Tensor {
    dtype == self.dtype ? self : try Self.record(.convert(dtype), self)
  }

  static func binary(_ op: Binary, _ a: Tensor, _ b: Tensor) throws -> Tensor {
    let (a, b) = try broadcastTogether(a, b)
    return try record(.binary(op), a, b)
  }

  /// Broadcasts two tensors to one shape where their trailing axes allow it: extents are equal
  /// or 1. Where they are not, both come back as they are and the op names the mismatch.
  static func broadcastTogether(_ a: Tensor, _ b: Tensor) throws -> (Tensor, Tensor) {
    if a.shape == b.shape { return (a, b) }
    let rank = max(a.rank, b.rank)
    func aligned(_ shape: Shape) -> [Int] {
      Array(repeating: 1, count: rank - shape.rank) + shape.extents
    }
    let pairs = Array(zip(aligned(a.shape), aligned(b.shape)))
    guard pairs.allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else { return (a, b) }
    let shape = Shape(pairs.map { max($0, $1) })
    return (try a.broadcast(to: shape), try b.broadcast(to: shape))
  }
}

public func exp(_ x: Tensor) throws -> Tensor { try .record(.unary(.exp), x) }
public func log(_ x: Tensor) throws -> Tensor { try .record(.unary(.log), x) }
public func log1p(_ x: Tensor) throws -> Tensor { try .record(.unary(.log1p), x) }
public func sqrt(_ x: Tensor) throws -> Tensor { try .record(.unary(.sqrt), x) }
/// 1/√x
public func rsqrt(_ x: Tensor) throws -> Tensor { try .record(.unary(.rsqrt), x) }
public func abs(_ x: Tensor) throws -> Tensor { try .record(.unary(.abs), x) }
public func sign(_ x: Tensor) throws -> Tensor { try .record(.unary(.sign), x) }
public func floor(_ x: Tensor) throws -> Tensor { try .record(.unary(.floor), x) }
public func ceil(_ x: Tensor) throws -> Tensor { try .record(.unary(.ceil), x) }
public func maximum(_ a: Tensor, _ b: Tensor) throws -> Tensor { try .binary(.maximum, a, b) }
public func minimum(_ a: Tensor, _ b: Tensor) throws -> Tensor { try .binary(.minimum, a, b) }
public func pow(_ a: Tensor, _ b: Tensor) throws -> Tensor { try .binary(.power, a, b) }
/// `a` where the condition holds, else `b`.
public func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
  try .record(.select, condition, a, b)
}
