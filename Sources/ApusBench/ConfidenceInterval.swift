import Foundation

/// A confidence interval of the median between two of the samples.
public struct ConfidenceInterval: Hashable, Sendable {
  public let lower: Double
  public let upper: Double
  public let median: Double
  /// Probability that such an interval covers the median: at least the confidence asked for.
  public let coverage: Double

  /// Half the width as a part of the median; infinite when only the median is zero.
  public var relativeHalfWidth: Double {
    let halfWidth = (upper - lower) / 2
    return halfWidth == 0 ? 0 : halfWidth / abs(median)
  }
}

extension Statistics {
  /// The nonparametric confidence interval [x₍ₖ₎, x₍ₙ₊₁₋ₖ₎] of the median, with the largest k of
  /// which the coverage 1 − 2 P(B ≤ k − 1), B binomial (n, ½), is at least `confidence`; nil with
  /// too few samples (fewer than 6 for 0.95).
  ///
  /// Conover, *Practical Nonparametric Statistics*, 3rd edition (1999), section 3.2. It assumes
  /// independent samples but no distribution.
  public func medianInterval(confidence: Double = 0.95) -> ConfidenceInterval? {
    guard let (rank, coverage) = medianRank(count: count, confidence: confidence) else {
      return nil
    }
    return ConfidenceInterval(
      lower: sorted[rank - 1], upper: sorted[count - rank], median: median, coverage: coverage)
  }
}

private func logFactorial(_ n: Double) -> Double {
  // The tuple's second part is the sign, here always positive.
  let (value, _): (Double, Int) = lgamma(n + 1)
  return value
}

/// The largest rank k (from 1), and its coverage, whose interval covers the median with the
/// probability `confidence`.
private func medianRank(count: Int, confidence: Double) -> (rank: Int, coverage: Double)? {
  guard confidence > 0, confidence < 1 else { return nil }
  let n = Double(count)
  let tail = (1 - confidence) / 2
  // Ten standard deviations below the centre the distribution holds less than 1e-22.
  let first = max(0, Int((n / 2 - 5 * n.squareRoot()).rounded(.down)))
  let start = Double(first)
  let logWays = logFactorial(n) - logFactorial(start) - logFactorial(n - start)
  var term = exp(logWays - n * log(2.0))
  var cumulative = 0.0
  var below = 0.0
  var successes = first
  while cumulative + term <= tail && 2 * successes < count {
    cumulative += term
    below = cumulative
    let failures = Double(count - successes)
    successes += 1
    term *= failures / Double(successes)
  }
  return successes == 0 ? nil : (successes, 1 - 2 * below)
}
