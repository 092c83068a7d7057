import ApusIR
import ApusRuntime

/// How far a result may be from the expected one: relative to the largest magnitude of the expected
/// tensor, plus an absolute part.
public struct Tolerance: Hashable, Sendable {
  public let relative: Double
  public let absolute: Double

  public init(relative: Double, absolute: Double = 0) {
    self.relative = relative
    self.absolute = absolute
  }

  /// Not at all.
  public static let exact = Tolerance(relative: 0)
  /// One operation of `float32`, or a good approximation of a function.
  public static let elementwise = Tolerance(relative: 2e-6, absolute: 1e-6)
  /// Sums of products of `float32`, in any order.
  public static let accumulation = Tolerance(relative: 1e-5, absolute: 1e-6)
  /// Results rounded to `float16`.
  public static let float16 = Tolerance(relative: 2e-3, absolute: 1e-6)
  /// Results rounded to `bfloat16`.
  public static let bfloat16 = Tolerance(relative: 1e-2, absolute: 1e-6)
}

/// What is wrong with `got`, or `nil` where it is `expected` within a tolerance.
///
/// NaN only equals NaN and an infinity only itself. The answer names the worst element.
public func difference(
  _ got: HostTensor, from expected: HostTensor, within tolerance: Tolerance
) -> String? {
  if got.type != expected.type { return "expected a \(expected.type), got a \(got.type)" }
  let (expectedValues, gotValues) = (expected.doubles, got.doubles)
  let largest = expectedValues.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
  let allowed = tolerance.absolute + tolerance.relative * largest
  let errors = zip(expectedValues, gotValues).map { error(expected: $0, got: $1) }
  let wrong = errors.indices.filter { errors[$0] > allowed }
  guard let worst = wrong.max(by: { errors[$0] < errors[$1] }) else { return nil }
  return "element \(position(worst, in: got.shape)): expected \(expectedValues[worst]), got "
    + "\(gotValues[worst]), \(errors[worst]) apart where \(allowed) is allowed "
    + "(\(wrong.count) of \(errors.count) elements are further apart than that)"
}

private func error(expected: Double, got: Double) -> Double {
  if expected == got || (expected.isNaN && got.isNaN) { return 0 }
  return expected.isFinite && got.isFinite ? (expected - got).magnitude : .infinity
}

private func position(_ index: Int, in shape: Shape) -> [Int] {
  zip(shape, shape.rowMajorStrides).map { index / $1 % $0 }
}
