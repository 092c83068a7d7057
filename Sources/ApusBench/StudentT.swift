import Foundation

/// Student's t distribution.
public enum StudentT {
  /// The t that a variable exceeds in magnitude with the probability 1 − `confidence`.
  ///
  /// - Parameters:
  ///   - confidence: between 0 and 1.
  ///   - degreesOfFreedom: at least 1, whole or not.
  public static func quantile(confidence: Double, degreesOfFreedom: Double) -> Double {
    // Beyond a million it is the normal distribution's to 3e-6.
    let freedom = min(degreesOfFreedom, 1e6)
    let tail = 1 - confidence
    var upper = 1.0
    while self.tail(beyond: upper, freedom) > tail { upper *= 2 }
    var lower = 0.0
    for _ in 0..<80 {
      let middle = (lower + upper) / 2
      if self.tail(beyond: middle, freedom) > tail { lower = middle } else { upper = middle }
    }
    return (lower + upper) / 2
  }

  /// P(|T| > t) = Iₓ(ν/2, ½) with x = ν / (ν + t²) (NIST, *Digital Library of Mathematical
  /// Functions*, 8.17).
  private static func tail(beyond t: Double, _ freedom: Double) -> Double {
    let x = freedom / (freedom + t * t)
    let rest = t * t / (freedom + t * t)
    // The fraction converges quickly on one side only; the other is its mirror image.
    return x < (freedom / 2 + 1) / (freedom / 2 + 2.5)
      ? incompleteBeta(x, rest, freedom / 2, 0.5) : 1 - incompleteBeta(rest, x, 0.5, freedom / 2)
  }

  /// Iₓ(a, b) by the continued fraction 8.17.22, evaluated by Lentz's method.
  ///
  /// - Parameter rest: 1 − x, which its caller knows without cancellation.
  private static func incompleteBeta(
    _ x: Double, _ rest: Double, _ a: Double, _ b: Double
  ) -> Double {
    if x == 0 { return 0 }
    let logBeta = logGamma(a) + logGamma(b) - logGamma(a + b)
    let front = exp(a * log(x) + b * log(rest) - logBeta) / a
    var (fraction, c, d) = (1.0, 1.0, 0.0)
    for index in 0..<1000 {
      let m = Double(index / 2)
      let numerator =
        index == 0
        ? 1
        : index.isMultiple(of: 2)
          ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
          : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / nonzero(1 + numerator * d)
      c = nonzero(1 + numerator / c)
      fraction *= c * d
      if abs(c * d - 1) < 1e-15 { break }
    }
    return front * (fraction - 1)
  }

  private static func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }

  private static func logGamma(_ value: Double) -> Double {
    // The tuple's second part is the sign, here always positive.
    let (logarithm, _): (Double, Int) = lgamma(value)
    return logarithm
  }
}
