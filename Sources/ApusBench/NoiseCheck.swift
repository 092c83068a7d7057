import Foundation
import Synchronization

/// How steadily a machine does the same work again and again.
public struct NoiseCheck: Hashable, Sendable, Codable {
  public let repetitions: Int
  /// How many threads did the work, each its own.
  public let threads: Int
  public let medianMs: Double
  /// Standard deviation over mean.
  public let coefficientOfVariation: Double
  /// The slowest over the median.
  public let slowest: Double
  /// The part of the CPUs' time that a virtual machine's host gave to others; nil where it does not
  /// say.
  public let stolen: Double?

  private enum CodingKeys: String, CodingKey {
    case repetitions, threads
    case medianMs = "median_ms"
    case coefficientOfVariation = "coefficient_of_variation"
    case slowest, stolen
  }

  /// Nil for fewer than two times.
  public init?(milliseconds: [Double], threads: Int, stolen: Double? = nil) {
    guard let statistics = Statistics(milliseconds), statistics.median > 0,
      let variation = statistics.coefficientOfVariation
    else { return nil }
    repetitions = statistics.count
    self.threads = threads
    medianMs = statistics.median
    coefficientOfVariation = variation
    slowest = statistics.maximum / statistics.median
    self.stolen = stolen
  }

  /// Times `work`, after two runs that do not count.
  public static func measure(
    repetitions: Int = 100, threads: Int, clock: some TimeSource = MonotonicClock(),
    files: SystemFiles = .live, work: () -> Void
  ) -> NoiseCheck? {
    for _ in 0..<2 { work() }
    let before = CPUTime(files)
    let times = (0..<repetitions).map { _ in
      let start = clock.nanoseconds
      work()
      return Double(clock.nanoseconds - start) * 1e-6
    }
    return NoiseCheck(
      milliseconds: times, threads: threads, stolen: before?.stolen(until: CPUTime(files)))
  }

  /// Times arithmetic that takes some milliseconds, on so many threads at once: about a second.
  public static func measure(threads: Int) -> NoiseCheck? {
    measure(threads: threads) {
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        checksum.store(arithmetic(UInt64(thread)), ordering: .relaxed)
      }
    }
  }

  /// Whether measurements on this machine can be trusted to a few per cent.
  public var isSteady: Bool {
    coefficientOfVariation <= MeasurementWarning.noisyVariation && (stolen ?? 0) <= 0.02
  }

  /// "0.8 % over 100 runs of 8.1 ms on 2 threads, the slowest 1.04 times the median".
  public var words: String {
    let stolen = stolen.map { $0 > 0 ? ", \(HumanNumber.percent($0)) stolen by the host" : "" }
    return "\(HumanNumber.percent(coefficientOfVariation)) over \(repetitions) runs of "
      + "\(HumanNumber.fourDigits(medianMs)) ms on \(threads) \(threads == 1 ? "thread" : "threads")"
      + ", the slowest \(HumanNumber.decimal(slowest, 2)) times the median" + (stolen ?? "")
  }

  /// Stored where everybody could see it, so that no compiler leaves the work out.
  private static let checksum = Atomic<UInt64>(0)

  /// Each value needs the one before, so that nothing can be done at once or be left out.
  private static func arithmetic(_ seed: UInt64) -> UInt64 {
    var value = seed + 1
    for _ in 0..<2_000_000 { value = (value ^ (value >> 33)) &* 0xFF51_AFD7_ED55_8CCD }
    return value
  }
}

/// What the CPUs have spent their time with so far, in ticks.
struct CPUTime {
  private let total: Double
  private let stolen: Double

  /// The first line of `/proc/stat` (`proc_stat(5)`): user, nice, system, idle, iowait, irq,
  /// softirq, steal; guests are counted in the first two.
  init?(_ files: SystemFiles) {
    guard let line = files.text("/proc/stat")?.split(separator: "\n").first,
      line.hasPrefix("cpu ")
    else { return nil }
    let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
    guard ticks.count == 8, ticks.allSatisfy({ $0 >= 0 && $0.isFinite }) else { return nil }
    (total, stolen) = (ticks.reduce(0, +), ticks[7])
  }

  /// The part that was stolen from now to a later time; nil when no time has passed.
  func stolen(until later: CPUTime?) -> Double? {
    guard let later, later.total > total else { return nil }
    return max(0, later.stolen - stolen) / (later.total - total)
  }
}
