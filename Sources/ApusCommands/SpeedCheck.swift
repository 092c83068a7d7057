import ApusBench
import ApusOneDNN
import Synchronization

/// Holds the rows of the CPU against its peaks, which are measured once for each number of threads.
enum SpeedCheck {
  private static let measured = Mutex<[Int: MachinePeaks]>([:])

  /// Winograd's tiles of 4×4 results of a 3×3 filter need 36 products where 144 are counted.
  private static let savingsOfTiles = 4.0

  /// Measures the peaks: a third of a second and 128 MiB, so before memory counts. Where there is
  /// no memory for it, nothing is checked.
  static func prepare(threads: Int) {
    measured.withLock { measured in
      if measured[threads] == nil {
        measured[threads] = try? MachinePeaks.measure(threads: threads)
      }
    }
  }

  /// Notes how fast a row's runs were, and fails the row where no machine like this one could be.
  ///
  /// What disturbed measuring the peaks shall fail nothing: before it does, they are measured again.
  static func hold(_ row: inout BenchRow, threads: Int) {
    guard let peaks = measured.withLock({ $0[threads] }), let median = row.latencyMs?.median else {
      return
    }
    row.gbytesPerSec = row.parameters.map { Double($0 * 4) / median * 1e-6 }
    let savings = row.exact == false ? savingsOfTiles : 1
    let limits = SpeedLimits([peaks], savings: savings)
    if limits.objection(to: row) != nil, let again = try? MachinePeaks.measure(threads: threads) {
      row.hold(against: SpeedLimits([peaks, again], savings: savings))
    } else {
      row.hold(against: limits)
    }
  }
}

extension SpeedLimits {
  /// The best of several measurements.
  fileprivate init(_ peaks: [MachinePeaks], savings: Double) {
    self.init(
      gflopsPerSec: peaks.map { $0.flopsPerSecond * 1e-9 }.max() ?? .infinity,
      gbytesPerSec: peaks.map { max($0.cacheBytesPerSecond, $0.memoryBytesPerSecond) * 1e-9 }.max()
        ?? .infinity, savings: savings)
  }
}
