import Foundation

/// Measures again without measuring: draws processes with replacement, and within each of them its
/// iterations with replacement.
///
/// The two-level bootstrap of Kalibera and Jones, "Quantifying Performance Changes with Effect Size
/// Confidence Intervals" (2012), section 6. Processes come first because the iterations of one
/// process share what differs between processes: where memory lies, which core, the clock frequency.
public struct Bootstrap: Hashable, Sendable {
  /// How often everything is drawn.
  public var resamples = 1000
  /// The same seed gives the same intervals.
  public var seed: UInt64 = 1
  /// Of more iterations of a process, so many are drawn from, evenly over their sizes: intervals
  /// become wider by it, never narrower.
  public var largestProcess = 4096

  public init() {}

  /// The typical value of a process's iterations.
  public enum Center: Hashable, Sendable {
    case median, mean
  }

  /// The variance of `logarithm(of:by:)` over the resamples.
  ///
  /// - Parameter processes: times of iterations, each above 0, at least one of each process.
  func variance(of processes: [[Double]], by center: Center) -> Double {
    var generator = SplitMix64(state: seed)
    var resamplers = processes.map { Resampler($0, largest: largestProcess) }
    let draws = (0..<max(2, resamples)).map { _ in
      var sum = 0.0
      for _ in processes {
        sum += log(resamplers[generator.index(below: processes.count)].draw(center, &generator))
      }
      return sum / Double(processes.count)
    }
    let deviation = Statistics(draws)?.standardDeviation ?? .infinity
    return deviation * deviation
  }

  /// The mean over processes of the logarithms of their typical values: the logarithm of a geometric
  /// mean, so that the ratio of A to B is the inverse of that of B to A.
  static func logarithm(of processes: [[Double]], by center: Center) -> Double {
    let logarithms = processes.map { log(value(of: $0, by: center)) }
    return logarithms.reduce(0, +) / Double(logarithms.count)
  }

  private static func value(of times: [Double], by center: Center) -> Double {
    switch center {
    case .median: Statistics(times)?.median ?? .nan
    case .mean: Statistics(times)?.mean ?? .nan
    }
  }
}

/// Draws the iterations of one process.
private struct Resampler {
  private let sorted: [Double]
  private var counts: [Int]

  init(_ times: [Double], largest: Int) {
    let all = times.sorted()
    let count = min(all.count, max(1, largest))
    sorted = (0..<count).map { all[$0 * all.count / count] }
    counts = Array(repeating: 0, count: count)
  }

  /// The typical value of as many iterations as there are.
  mutating func draw(_ center: Bootstrap.Center, _ generator: inout SplitMix64) -> Double {
    let count = sorted.count
    switch center {
    case .mean:
      var sum = 0.0
      for _ in 0..<count { sum += sorted[generator.index(below: count)] }
      return sum / Double(count)
    case .median:
      // Counting what was drawn of each keeps the draws sorted.
      for index in 0..<count { counts[index] = 0 }
      for _ in 0..<count { counts[generator.index(below: count)] += 1 }
      return (drawn((count - 1) / 2) + drawn(count / 2)) / 2
    }
  }

  /// The draw of a rank from 0.
  private func drawn(_ rank: Int) -> Double {
    var seen = 0
    for (value, count) in zip(sorted, counts) {
      seen += count
      if seen > rank { return value }
    }
    return sorted[sorted.count - 1]
  }
}

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// From 0 to `count` − 1, each as likely to 2⁻⁶⁴ · count.
  mutating func index(below count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }
}
