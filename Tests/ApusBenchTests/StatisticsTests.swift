import ApusBench
import Foundation
import Testing

struct ReferenceStatistics: Sendable, CustomTestStringConvertible {
  let count: Int
  let seed: UInt64
  let median, mean, sd, minimum, maximum, p25, p90, p999: Double
  let outliers: Int
  let interval: (lower: Double, upper: Double, coverage: Double)?

  var testDescription: String { "\(count) numbers" }
}

/// The numbers make_reference_statistics.py calls `hashed`, bit by bit.
func referenceValues(_ count: Int, seed: UInt64) -> [Double] {
  (0..<UInt64(count)).map { offset in
    let index = seed + offset
    var z = (index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    let unit = Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    return 5 + unit * unit * unit * 2 + (index % 37 == 36 ? 10 : 0)
  }
}

func isClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
  abs(a - b) <= tolerance * max(1, abs(a), abs(b))
}

@Suite("Statistics")
struct StatisticsTests {
  @Test("agree with NumPy and SciPy", arguments: referenceStatistics)
  func agreesWithReference(_ expected: ReferenceStatistics) throws {
    let values = referenceValues(expected.count, seed: expected.seed)
    let found = try #require(Statistics(values.shuffled()))
    #expect(found.count == expected.count)
    #expect(isClose(found.median, expected.median))
    #expect(isClose(found.mean, expected.mean))
    #expect(isClose(try #require(found.standardDeviation), expected.sd))
    #expect(found.minimum == expected.minimum)
    #expect(found.maximum == expected.maximum)
    #expect(isClose(found.quantile(0.25), expected.p25))
    #expect(isClose(found.quantile(0.9), expected.p90))
    #expect(isClose(found.quantile(0.999), expected.p999))
    #expect(found.outlierCount == expected.outliers)
    #expect(
      isClose(try #require(found.coefficientOfVariation), expected.sd / expected.mean))
    let interval = found.medianInterval()
    #expect((interval == nil) == (expected.interval == nil))
    if let interval, let reference = expected.interval {
      #expect(interval.lower == reference.lower)
      #expect(interval.upper == reference.upper)
      #expect(isClose(interval.coverage, reference.coverage, 1e-9))
      #expect(
        isClose(
          interval.relativeHalfWidth,
          (reference.upper - reference.lower) / 2 / expected.median))
    }
  }

  @Test("of nothing, or of what is not finite, do not exist")
  func refusesWhatHasNoStatistics() {
    #expect(Statistics([]) == nil)
    #expect(Statistics([1, .nan, 2]) == nil)
    #expect(Statistics([1, .infinity]) == nil)
  }

  @Test("of one number have no spread")
  func oneNumber() throws {
    let one = try #require(Statistics([7.25]))
    #expect(one.median == 7.25 && one.mean == 7.25 && one.minimum == 7.25 && one.maximum == 7.25)
    #expect(one.standardDeviation == nil && one.coefficientOfVariation == nil)
    #expect(one.outlierCount == 0 && one.medianInterval() == nil)
    #expect(one.quantile(0.99) == 7.25)
  }

  @Test("of zeros divide by nothing")
  func zeros() throws {
    let zeros = try #require(Statistics(Array(repeating: 0, count: 20)))
    #expect(zeros.coefficientOfVariation == nil)
    #expect(zeros.medianInterval()?.relativeHalfWidth == 0)
    let mixed = try #require(Statistics([-1, -1, -1, -1, -1, 0, 0, 0, 1, 1, 1, 1, 1]))
    #expect(mixed.medianInterval()?.relativeHalfWidth == .infinity)
  }

  @Test("a median interval covers the true median about as often as it promises")
  func intervalCoverage() throws {
    var generator = SystemRandomNumberGenerator()
    var covered = 0
    let trials = 4000
    for _ in 0..<trials {
      let values = (0..<25).map { _ in Double.random(in: 0..<1, using: &generator) }
      let interval = try #require(Statistics(values)?.medianInterval())
      if interval.lower <= 0.5 && 0.5 <= interval.upper { covered += 1 }
    }
    // Coverage for n = 25 is 0.9567; five standard errors of 4000 trials are 0.016.
    #expect(abs(Double(covered) / Double(trials) - 0.9567) < 0.016)
  }

  @Test("a higher confidence needs more samples and a wider interval")
  func confidenceWidens() throws {
    let values = try #require(Statistics(referenceValues(200, seed: 7)))
    let widths = try [0.5, 0.9, 0.99, 0.9999].map {
      let interval = try #require(values.medianInterval(confidence: $0))
      #expect(interval.coverage >= $0)
      return interval.upper - interval.lower
    }
    #expect(widths == widths.sorted() && Set(widths).count == widths.count)
    #expect(try #require(Statistics([1, 2, 3, 4, 5, 6])).medianInterval(confidence: 0.97) == nil)
    #expect(values.medianInterval(confidence: 0) == nil)
    #expect(values.medianInterval(confidence: 1) == nil)
    #expect(values.medianInterval(confidence: .nan) == nil)
  }

  @Test(
    "percentiles need the published numbers of samples",
    arguments: [(50.0, 1), (90, 64), (95, 130), (99, 662), (99.9, 6636), (10, 64)])
  func samplesNeeded(_ rank: Double, _ needed: Int) throws {
    #expect(Statistics.samplesNeeded(forPercentile: rank) == needed)
    guard needed > 1 else { return }
    let tooFew = try #require(Statistics(referenceValues(needed - 1, seed: 3)))
    #expect(tooFew.percentile(rank) == .tooFew(needed: needed, have: needed - 1))
    let enough = try #require(Statistics(referenceValues(needed, seed: 3)))
    #expect(enough.percentile(rank) == .value(enough.quantile(rank / 100)))
  }

  @Test("percentiles beyond any number of samples are never given", arguments: [0, 100, -3, 170])
  func impossiblePercentile(_ rank: Double) throws {
    let values = try #require(Statistics(referenceValues(100, seed: 3)))
    #expect(values.percentile(rank).value == nil)
    #expect(Statistics.samplesNeeded(forPercentile: .nan) == .max)
  }

  @Test("a missing percentile says what it would need")
  func missingPercentileText() throws {
    let few = try #require(Statistics(referenceValues(40, seed: 1)))
    #expect(few.percentile(99).text(HumanNumber.fourDigits) == "n/a (needs 662, have 40)")
    #expect(few.percentile(99.9).text(HumanNumber.fourDigits) == "n/a (needs 6,636, have 40)")
    #expect(Percentile.value(12.345678).text(HumanNumber.fourDigits) == "12.35")
  }
}
