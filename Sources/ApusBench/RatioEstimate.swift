import Foundation

/// The logarithm of a typical value, and how well it is known.
public struct LogEstimate: Hashable, Sendable {
  public let logarithm: Double
  /// Of the logarithm; nil where nothing is known of it.
  public let variance: Double?
  public let degreesOfFreedom: Double

  /// A value that is the same each time.
  public init(exactly value: Double) {
    (logarithm, variance, degreesOfFreedom) = (log(value), 0, 1)
  }

  /// The typical value of processes, of which times of iterations are known, all above 0.
  ///
  /// Drawing n of n shows only (n − 1)/n of a variance, hence the factor n/(n − 1), and so few
  /// degrees of freedom ask for Student's quantiles (Hesterberg, "What Teachers Should Know About
  /// the Bootstrap", *The American Statistician* 69 (2015), section 4): with the three or five
  /// repetitions of a benchmark, percentiles of the resamples would be far too narrow.
  /// n counts processes, and iterations where there is a single process.
  public init(
    of processes: [[Double]], by center: Bootstrap.Center, _ bootstrap: Bootstrap = Bootstrap()
  ) {
    logarithm = Bootstrap.logarithm(of: processes, by: center)
    let count = processes.count > 1 ? processes.count : processes.first?.count ?? 0
    degreesOfFreedom = Double(max(1, count - 1))
    variance =
      count < 2
      ? nil
      : bootstrap.variance(of: processes, by: center) * Double(count) / Double(count - 1)
  }
}

/// A ratio with its confidence interval.
public struct RatioEstimate: Hashable, Sendable {
  public let ratio: Double
  /// Nil where the variance of a part is not known.
  public let interval: ClosedRange<Double>?

  /// The ratio of two typical values.
  public init(_ numerator: LogEstimate, over denominator: LogEstimate, confidence: Double) {
    self.init([(numerator, denominator)], confidence: confidence)
  }

  /// The geometric mean of ratios that were measured independently of each other, at least one.
  ///
  /// On logarithms, with degrees of freedom by Satterthwaite, "An Approximate Distribution of
  /// Estimates of Variance Components", *Biometrics Bulletin* 2 (1946); for two values that is
  /// Welch's interval.
  public init(
    _ ratios: [(numerator: LogEstimate, denominator: LogEstimate)], confidence: Double
  ) {
    let count = Double(ratios.count)
    let logarithm =
      ratios.reduce(0) { $0 + $1.numerator.logarithm - $1.denominator.logarithm } / count
    ratio = exp(logarithm)
    var (variance, squares): (Double?, Double) = (0, 0)
    for part in ratios.flatMap({ [$0.numerator, $0.denominator] }) {
      let share = part.variance.map { $0 / (count * count) }
      variance = variance.flatMap { sum in share.map { sum + $0 } }
      squares += (share ?? 0) * (share ?? 0) / part.degreesOfFreedom
    }
    interval = variance.map { variance in
      if variance == 0 { return exp(logarithm)...exp(logarithm) }
      let quantile = StudentT.quantile(
        confidence: confidence, degreesOfFreedom: variance * variance / squares)
      let halfWidth = quantile * variance.squareRoot()
      return exp(logarithm - halfWidth)...exp(logarithm + halfWidth)
    }
  }

  /// Whether 1 lies in the interval; nil without one.
  public var mayBeOne: Bool? { interval?.contains(1) }

  /// The ratio the other way round.
  public var inverse: RatioEstimate {
    RatioEstimate(
      ratio: 1 / ratio, interval: interval.map { 1 / $0.upperBound...1 / $0.lowerBound })
  }

  private init(ratio: Double, interval: ClosedRange<Double>?) {
    (self.ratio, self.interval) = (ratio, interval)
  }
}
