import Foundation

/// A percentile that is known, or the number of samples it would need.
public enum Percentile: Hashable, Sendable {
  case value(Double)
  case tooFew(needed: Int, have: Int)

  /// The percentile where there are enough samples for it.
  public var value: Double? {
    if case .value(let value) = self { value } else { nil }
  }

  /// The value as `format` writes it, or "n/a (needs 662, have 40)".
  public func text(_ format: (Double) -> String) -> String {
    switch self {
    case .value(let value): format(value)
    case .tooFew(let needed, let have):
      "n/a (needs \(HumanNumber.count(needed)), have \(HumanNumber.count(have)))"
    }
  }
}

extension Statistics {
  /// The `rank`-th percentile (more than 0, less than 100; by `quantile`), if there are samples
  /// enough for it.
  public func percentile(_ rank: Double) -> Percentile {
    let needed = Statistics.samplesNeeded(forPercentile: rank)
    return count < needed ? .tooFew(needed: needed, have: count) : .value(quantile(rank / 100))
  }

  /// Samples needed so that, with a probability of 99 %, at least two lie beyond the percentile,
  /// in the tail it cuts off: 64 for p90, 130 for p95, 662 for p99, 6,636 for p99.9; 1 for p50.
  ///
  /// The smallest n with P(B ≤ 1) ≤ 0.01 for B binomial (n, t), where t is the tail's part:
  /// (1 − t)ⁿ + n t (1 − t)ⁿ⁻¹ ≤ 0.01. A rank outside 0…100, or so near to its ends that no
  /// countable number would do, needs `Int.max`.
  public static func samplesNeeded(forPercentile rank: Double) -> Int {
    if rank == 50 { return 1 }
    let tail = min(rank, 100 - rank) / 100
    guard tail > 1e-12 else { return .max }
    func suffices(_ count: Int) -> Bool {
      let rest = exp(Double(count - 1) * log1p(-tail))
      return rest * (1 - tail) + Double(count) * tail * rest <= 0.01
    }
    var upper = 2
    while !suffices(upper) { upper *= 2 }
    var lower = upper / 2
    while upper - lower > 1 {
      let middle = lower + (upper - lower) / 2
      if suffices(middle) { upper = middle } else { lower = middle }
    }
    return upper
  }
}
