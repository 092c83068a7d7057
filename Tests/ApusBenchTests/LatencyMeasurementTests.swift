import ApusBench
import Testing

/// A clock that moves only when told to.
final class FakeClock: TimeSource {
  private(set) var nanoseconds: Int64 = 12_345

  func advance(_ milliseconds: Double) {
    nanoseconds += Int64((milliseconds * 1e6).rounded())
  }
}

private struct Failure: Error, Equatable {
  let run: Int
}

@Suite("A latency measurement")
struct LatencyMeasurementTests {
  private let clock = FakeClock()

  @Test("with steady times ends by precision after the shortest time")
  func steady() {
    let samples = measure(clock: clock) { clock.advance(100) }
    #expect(samples.stopReason == .precision)
    #expect(samples.nanoseconds == Array(repeating: 100_000_000, count: 30))
    #expect(samples.measuredNanoseconds == 3_000_000_000)
    // 200 ms are over after two runs, but two windows of three are needed to agree.
    #expect(samples.warmUpCount == 6)
    #expect(samples.warmUpNanoseconds == 600_000_000)
    #expect(samples.warmUpDrift == 0)
    #expect(samples.throughput(batchSize: 8).map { isClose($0, 80) } == true)
  }

  @Test("of long runs makes the fewest iterations that are allowed")
  func longRuns() {
    let samples = measure(clock: clock) { clock.advance(2000) }
    #expect(samples.nanoseconds.count == 10)
    #expect(samples.stopReason == .precision)
    // 5 s are the cap of the warm-up.
    #expect(samples.warmUpCount == 3)
  }

  @Test("keeps warming up while times still fall, and leaves those times out")
  func fallingWarmUp() {
    var run = 0
    let samples = measure(clock: clock) {
      clock.advance(run < 20 ? 120 - 5 * Double(run) : 20)
      run += 1
    }
    // From the 21st run on it takes 20 ms: runs 20…25 are the first six with two medians of that.
    #expect(samples.warmUpCount == 25)
    #expect(samples.nanoseconds.allSatisfy { $0 == 20_000_000 })
    #expect(samples.warmUpDrift == 0)
  }

  @Test("whose warm-up never settles goes on at the cap and tells the drift")
  func unsettledWarmUp() throws {
    var run = 0
    let samples = measure(clock: clock) {
      clock.advance(run / 3 % 2 == 0 ? 50 : 100)
      run += 1
    }
    #expect(samples.warmUpNanoseconds >= 5_000_000_000)
    #expect(samples.warmUpNanoseconds < 5_100_000_000)
    let drift = try #require(samples.warmUpDrift)
    #expect(drift > 0.02 && drift <= 0.5)
  }

  @Test("of noisy times goes on until the median is known well enough")
  func noisyUntilPrecise() throws {
    var run: UInt64 = 0
    let samples = measure(clock: clock) {
      clock.advance(referenceValues(1, seed: run * 31)[0] * 30)
      run += 1
    }
    #expect(samples.stopReason == .precision)
    #expect(samples.measuredNanoseconds > 3_000_000_000)
    let interval = try #require(Statistics(samples.milliseconds)?.medianInterval())
    #expect(interval.relativeHalfWidth <= 0.02)
  }

  @Test("of times too wild to know the median ends by the longest time")
  func wildTimes() throws {
    let rules = try MeasuringRules(minTime: .seconds(1), maxTime: .seconds(6))
    var run = 0
    let samples = measure(rules, clock: clock) {
      clock.advance(run.isMultiple(of: 2) ? 10 : 200)
      run += 1
    }
    #expect(samples.stopReason == .maxTime)
    #expect((6_000_000_000..<6_200_000_001).contains(samples.measuredNanoseconds))
  }

  @Test("never exceeds the longest time by more than one run, even for the fewest iterations")
  func slowerThanTheLimit() throws {
    let samples = measure(clock: clock) { clock.advance(25_000) }
    #expect(samples.stopReason == .maxTime)
    #expect(samples.nanoseconds.count == 3)
    #expect(samples.warmUpCount == 1)
    #expect(samples.warmUpDrift == nil)
  }

  @Test("of a fixed protocol makes exactly its runs")
  func fixedProtocol() throws {
    let rules = try MeasuringRules.fixed(warmUps: 2, iterations: 7)
    let samples = measure(rules, clock: clock) { clock.advance(0.001) }
    #expect(samples.warmUpCount == 2)
    #expect(samples.nanoseconds == Array(repeating: 1000, count: 7))
    #expect(samples.stopReason == .iterations)
    let cold = measure(try .fixed(warmUps: 0, iterations: 1), clock: clock) { clock.advance(3) }
    #expect(cold.warmUpCount == 0)
    #expect(cold.nanoseconds == [3_000_000])
  }

  @Test("of runs faster than the clock still ends")
  func standingClock() throws {
    let rules = try MeasuringRules(maxWarmUpIterations: 50, maxIterations: 200)
    let samples = measure(rules, clock: clock) {}
    #expect(samples.warmUpCount == 50)
    #expect(samples.nanoseconds == Array(repeating: 0, count: 200))
    #expect(samples.stopReason == .iterations)
    #expect(samples.throughput(batchSize: 1) == nil)
  }

  @Test("that is interrupted keeps what there is", arguments: [0, 1, 3, 9])
  func interrupted(_ runs: Int) {
    var run = 0
    func isInterrupted() -> Bool { run == runs }
    let samples = measure(clock: clock, shouldStop: isInterrupted) {
      clock.advance(100)
      run += 1
    }
    #expect(samples.stopReason == .interrupted)
    #expect(samples.warmUpCount + samples.nanoseconds.count == runs)
    #expect(samples.warmUpCount == min(runs, 6))
  }

  @Test("passes an error on, with its type, and keeps the samples before it")
  func failingBody() throws {
    var measurement = LatencyMeasurement()
    var run = 0
    do throws(Failure) {
      try measurement.advance(clock: clock) { () throws(Failure) in
        if run == 8 { throw Failure(run: run) }
        clock.advance(100)
        run += 1
      }
      Issue.record("the error was lost")
    } catch {
      #expect(error == Failure(run: 8))
    }
    #expect(measurement.samples.nanoseconds.count == 2)
    #expect(measurement.phase == .measuring)
  }

  @Test("taken in slices, interleaved with another one, finds the same as in one go")
  func slices() {
    var measurements = [LatencyMeasurement(), LatencyMeasurement()]
    let times = [40.0, 70.0]
    var turns = 0
    while !measurements.allSatisfy(\.isDone) {
      for index in measurements.indices {
        measurements[index].advance(for: .milliseconds(500), clock: clock) {
          clock.advance(times[index])
        }
      }
      turns += 1
    }
    #expect(turns > 5)
    for (measurement, time) in zip(measurements, times) {
      #expect(measurement.samples == measure(clock: clock) { clock.advance(time) })
    }
  }

  @Test("makes one run in a slice however short, and none once it is done")
  func shortestSlice() {
    var measurement = LatencyMeasurement()
    var runs = 0
    let body = {
      clock.advance(5)
      runs += 1
    }
    measurement.advance(for: .zero, clock: clock, body)
    #expect(runs == 1)
    measurement.interrupt()
    measurement.advance(clock: clock, body)
    #expect(runs == 1)
    let before = measurement.samples
    measurement.add(nanoseconds: 5)
    #expect(measurement.samples == before)
    measurement.interrupt()
    #expect(measurement.phase == .done(.interrupted))
  }

  @Test("survives absurd durations")
  func absurdDurations() {
    var measurement = LatencyMeasurement()
    for duration in [Int64.max, -5, .max, .max, .max, .min] {
      measurement.add(nanoseconds: duration)
    }
    #expect(measurement.samples.measuredNanoseconds == .max)
    #expect(measurement.phase == .done(.maxTime))
  }

  @Test("on the real clock measures a real wait")
  func realClock() throws {
    let rules = try MeasuringRules.fixed(warmUps: 1, iterations: 5)
    let clock = MonotonicClock()
    let samples = measure(rules) {
      let start = clock.nanoseconds
      while clock.nanoseconds - start < 200_000 {}
    }
    #expect(samples.nanoseconds.count == 5)
    #expect(samples.nanoseconds.allSatisfy { $0 >= 200_000 })
    #expect(try #require(clock.smallestStep()) > 0)
    #expect(self.clock.smallestStep() == nil)
  }
}

@Suite("Measuring rules")
struct MeasuringRulesTests {
  @Test("default to the documented numbers")
  func defaults() throws {
    let rules = try MeasuringRules()
    #expect(rules == .standard)
    #expect(rules.minWarmUpIterations == 1 && rules.minWarmUpTime == .milliseconds(200))
    #expect(rules.minIterations == 10 && rules.minTime == .seconds(3))
    #expect(rules.maxTime == .seconds(60) && rules.relativeHalfWidth == 0.02)
  }

  @Test("that cannot be followed are refused in one sentence")
  func refused() {
    let cases: [(String, () throws(MeasuringRulesError) -> MeasuringRules)] = [
      (
        "min-iterations must be at least 1, got 0",
        { () throws(MeasuringRulesError) in try MeasuringRules(minIterations: 0) }
      ),
      (
        "min-time must be at least 0.0 seconds, got -1.0 seconds",
        { () throws(MeasuringRulesError) in try MeasuringRules(minTime: .seconds(-1)) }
      ),
      (
        "max-time must be more than 0 s, got 0.0 seconds",
        { () throws(MeasuringRulesError) in try MeasuringRules(minTime: .zero, maxTime: .zero) }
      ),
      (
        "min-time must be at most max-time, got 90.0 seconds and 60.0 seconds;"
          + " raise max-time or lower min-time",
        { () throws(MeasuringRulesError) in try MeasuringRules(minTime: .seconds(90)) }
      ),
      (
        "relative-half-width must lie between 0 and 1 (5 % is 0.05), got 2.0",
        { () throws(MeasuringRulesError) in try MeasuringRules(relativeHalfWidth: 2) }
      ),
      (
        "confidence must lie between 0 and 1 (5 % is 0.05), got nan",
        { () throws(MeasuringRulesError) in try MeasuringRules(confidence: .nan) }
      ),
      (
        "warm-up-window must be at least 1, got 0",
        { () throws(MeasuringRulesError) in try MeasuringRules(warmUpWindow: 0) }
      ),
      (
        "warm-up-window must be at most 1000, got 9000",
        { () throws(MeasuringRulesError) in try MeasuringRules(warmUpWindow: 9000) }
      ),
      (
        "min-iterations must be at most max-iterations, got 10 and 4;"
          + " raise max-iterations or lower min-iterations",
        { () throws(MeasuringRulesError) in try MeasuringRules(maxIterations: 4) }
      ),
    ]
    for (message, make) in cases {
      do {
        _ = try make()
        Issue.record("accepted: \(message)")
      } catch {
        #expect(error.description == "measuring rules: " + message)
      }
    }
  }
}
