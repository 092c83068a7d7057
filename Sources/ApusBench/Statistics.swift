import Foundation

/// Summary of a set of times (or of any finite numbers), in the unit of the numbers.
public struct Statistics: Sendable, Hashable {
  /// The numbers in ascending order, never empty.
  public let sorted: [Double]
  public let mean: Double
  /// Sample standard deviation (divisor n − 1); nil for a single number.
  public let standardDeviation: Double?

  /// Nil when there is no number, or one that is not finite.
  public init?(_ values: [Double]) {
    guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
    sorted = values.sorted()
    let count = Double(sorted.count)
    let mean = sorted.reduce(0, +) / count
    self.mean = mean
    standardDeviation =
      sorted.count < 2
      ? nil : (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
  }

  public var count: Int { sorted.count }
  public var minimum: Double { sorted[0] }
  public var maximum: Double { sorted[sorted.count - 1] }
  public var median: Double { quantile(0.5) }

  /// Standard deviation over mean; nil for a single number or a mean of zero.
  public var coefficientOfVariation: Double? {
    guard let standardDeviation, mean != 0 else { return nil }
    return standardDeviation / abs(mean)
  }

  /// How many numbers lie more than 1.5 interquartile ranges outside the quartiles.
  ///
  /// Tukey, *Exploratory Data Analysis* (1977), section 2D, with the quartiles of `quantile`.
  public var outlierCount: Int {
    let lower = quantile(0.25)
    let upper = quantile(0.75)
    let fence = 1.5 * (upper - lower)
    return sorted.count { $0 < lower - fence || $0 > upper + fence }
  }

  /// The value below which a part `fraction` (limited to 0…1) of the numbers lies, by linear
  /// interpolation at position (n − 1) · fraction of the sorted numbers.
  ///
  /// Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", *The American
  /// Statistician* 50 (1996); also the default of NumPy.
  public func quantile(_ fraction: Double) -> Double {
    let position = Double(sorted.count - 1) * min(max(fraction, 0), 1)
    let below = Int(position.rounded(.down))
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
  }
}
