import ApusBench
import Foundation
import Testing

struct ReferenceQuantile: Sendable {
  let confidence, degreesOfFreedom, quantile: Double
}

/// Welch's interval of processes that gave one number each.
struct ReferenceRatio: Sendable {
  let countA, countB: Int
  let seed: UInt64
  let ratio, lower, upper: Double
}

/// Of the logarithm of a typical value.
struct ReferenceVariance: Sendable {
  let processes, iterations: Int
  let center: Bootstrap.Center
  let seed: UInt64
  let variance: Double
}

/// Repeatable random numbers.
private struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
  }

  mutating func normal() -> Double {
    let radius = (-2 * log(Double.random(in: .leastNonzeroMagnitude..<1, using: &self)))
      .squareRoot()
    return radius * cos(Double.random(in: 0..<2 * .pi, using: &self))
  }
}

@Suite("The interval of a ratio")
struct RatioEstimateTests {
  private func bootstrap(_ resamples: Int) -> Bootstrap {
    var bootstrap = Bootstrap()
    bootstrap.resamples = resamples
    return bootstrap
  }

  @Test("has Student's quantiles as SciPy has them", arguments: referenceQuantiles)
  func quantiles(_ expected: ReferenceQuantile) {
    let found = StudentT.quantile(
      confidence: expected.confidence, degreesOfFreedom: expected.degreesOfFreedom)
    #expect(isClose(found, expected.quantile, 1e-9))
  }

  @Test("of processes with one number each is Welch's of SciPy", arguments: referenceRatios)
  func welch(_ expected: ReferenceRatio) throws {
    let a = referenceValues(expected.countA, seed: expected.seed).map { [$0] }
    let b = referenceValues(expected.countB, seed: expected.seed + 5000).map { [1.25 * $0] }
    let found = RatioEstimate(
      LogEstimate(of: b, by: .median, bootstrap(40_000)),
      over: LogEstimate(of: a, by: .median, bootstrap(40_000)), confidence: 0.95)
    #expect(isClose(found.ratio, expected.ratio))
    let interval = try #require(found.interval)
    // Of 40,000 resamples a deviation is known to 0.35 %, and the degrees of freedom follow it.
    let width = log(expected.upper / expected.lower)
    #expect(abs(log(interval.lowerBound / expected.lower)) < 0.02 * width)
    #expect(abs(log(interval.upperBound / expected.upper)) < 0.02 * width)
    #expect(isClose(found.inverse.ratio, 1 / expected.ratio))
    #expect(found.inverse.interval?.lowerBound == 1 / interval.upperBound)
  }

  @Test(
    "knows the variance of one process and of several as SciPy and NumPy do",
    arguments: referenceVariances)
  func variances(_ expected: ReferenceVariance) throws {
    let processes = (0..<expected.processes).map { index in
      let slower = expected.processes == 1 ? 1 : 1 + 0.02 * Double(index)
      return referenceValues(expected.iterations, seed: expected.seed + 1000 * UInt64(index))
        .map { $0 * slower }
    }
    let found = LogEstimate(of: processes.shuffled(), by: expected.center, bootstrap(20_000))
    let variance = try #require(found.variance)
    #expect(abs(variance / expected.variance - 1) < 0.06)
    let count = expected.processes == 1 ? expected.iterations : expected.processes
    #expect(found.degreesOfFreedom == Double(count - 1))
  }

  @Test(
    "holds the true ratio as often as it promises, with three repetitions too",
    arguments: [3, 5])
  func coverage(repetitions: Int) throws {
    var generator = Generator(state: UInt64(repetitions))
    func side() -> LogEstimate {
      let processes = (0..<repetitions).map { _ in
        let process = 100 * exp(0.03 * generator.normal())
        return (0..<15).map { _ in process * exp(0.02 * generator.normal()) }
      }
      return LogEstimate(of: processes, by: .median, bootstrap(300))
    }
    let trials = 600
    let covered = try (0..<trials).count { _ in
      let found = RatioEstimate(side(), over: side(), confidence: 0.95)
      return try #require(found.interval).contains(1)
    }
    // Three standard errors below; Welch's degrees of freedom and the second level err on the safe
    // side. An interval by percentiles of the resamples would hold it 80 times in 100.
    #expect(Double(covered) / Double(trials) > 0.923 && covered < trials)
  }

  @Test("over iterations only is too narrow where processes differ: why processes come first")
  func iterationsOnly() throws {
    var generator = Generator(state: 4)
    func process() -> [Double] {
      let process = 100 * exp(0.03 * generator.normal())
      return (0..<50).map { _ in process * exp(0.02 * generator.normal()) }
    }
    let covered = try (0..<200).count { _ in
      let (a, b) = ([process()], [process()])
      let found = RatioEstimate(
        LogEstimate(of: a, by: .median, bootstrap(200)),
        over: LogEstimate(of: b, by: .median, bootstrap(200)), confidence: 0.95)
      return try #require(found.interval).contains(1)
    }
    #expect(covered < 100)
  }

  @Test("is the same each time")
  func deterministic() {
    let processes = (0..<3).map { referenceValues(100, seed: 1000 * UInt64($0)) }
    #expect(LogEstimate(of: processes, by: .median) == LogEstimate(of: processes, by: .median))
  }

  @Test("does not exist for single numbers, and is a point for equal ones")
  func extremes() throws {
    let single = LogEstimate(of: [[5]], by: .median)
    #expect(single.variance == nil)
    #expect(RatioEstimate(single, over: single, confidence: 0.95).interval == nil)
    let exact = LogEstimate(exactly: 8)
    #expect(RatioEstimate(exact, over: single, confidence: 0.95).interval == nil)
    let ratio = RatioEstimate(exact, over: LogEstimate(exactly: 4), confidence: 0.95)
    #expect(isClose(ratio.ratio, 2) && ratio.interval == ratio.ratio...ratio.ratio)
    let equal = LogEstimate(of: [[3, 3], [3, 3]], by: .median)
    let one = try #require(RatioEstimate(equal, over: equal, confidence: 0.95).interval)
    #expect(one.contains(1) && one.upperBound - one.lowerBound < 1e-9)
  }

  @Test("of a geometric mean narrows with the number of cells")
  func geometricMean() throws {
    func side(_ seed: UInt64) -> LogEstimate {
      LogEstimate(of: (0..<5).map { referenceValues(9, seed: seed + 100 * $0) }, by: .mean)
    }
    let cells = (0..<16).map { (cell: UInt64) in
      (numerator: side(5000 * cell), denominator: side(90_000 + 5000 * cell))
    }
    func width(_ estimate: RatioEstimate) throws -> Double {
      let interval = try #require(estimate.interval)
      return log(interval.upperBound / interval.lowerBound)
    }
    let widths = try cells.map { try width(RatioEstimate([$0], confidence: 0.95)) }
    let all = RatioEstimate(cells, confidence: 0.95)
    let mean = widths.reduce(0, +) / 16
    #expect(try width(all) < 0.4 * mean && width(all) > 0.15 * mean)
    let logarithms = cells.map { log(RatioEstimate([$0], confidence: 0.95).ratio) }
    #expect(isClose(all.ratio, exp(logarithms.reduce(0, +) / 16)))
  }

  @Test("of very many iterations is found from some of them, and is no narrower")
  func manyIterations() throws {
    let times = referenceValues(20_000, seed: 0)
    var all = bootstrap(200)
    all.largestProcess = .max
    let exact = try #require(LogEstimate(of: [times], by: .median, all).variance)
    let thinned = try #require(LogEstimate(of: [times], by: .median, bootstrap(200)).variance)
    #expect(thinned > exact && thinned < 10 * exact)
  }
}
