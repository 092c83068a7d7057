/// How fast a machine can be at most, as measured on it.
///
/// Nothing real is faster: a row that is has not waited for its results, or has computed others
/// than it says. A missing synchronisation once made a published table 80 times too fast.
public struct SpeedLimits: Hashable, Sendable, Codable {
  public let gflopsPerSec: Double
  /// Of the fastest memory that all data could lie in, the caches.
  public let gbytesPerSec: Double
  /// How many times fewer operations an algorithm may need than are counted, at most.
  public let savings: Double

  /// Peaks are measured as the best of short trials, which all may have been disturbed a little.
  public static let tolerance = 1.1

  public init(gflopsPerSec: Double, gbytesPerSec: Double, savings: Double = 1) {
    self.gflopsPerSec = gflopsPerSec
    self.gbytesPerSec = gbytesPerSec
    self.savings = savings
  }

  private enum CodingKeys: String, CodingKey {
    case gflopsPerSec = "gflops_per_sec"
    case gbytesPerSec = "gbytes_per_sec"
    case savings
  }

  /// What of a row is impossible, in words; nil where nothing is.
  public func objection(to row: BenchRow) -> String? {
    let claims = [
      (row.gflopsPerSec, gflopsPerSec * savings, "GFLOP/s"),
      (row.gbytesPerSec, gbytesPerSec, "GB/s"),
    ]
    for (speed, limit, unit) in claims {
      guard let speed, speed > limit * Self.tolerance else { continue }
      return
        "\(HumanNumber.fourDigits(speed)) \(unit) are impossible: this machine's measured peak "
        + "allows \(HumanNumber.fourDigits(limit)); some result was not waited for, or not computed"
    }
    return nil
  }
}

extension BenchRow {
  /// Notes which shares of the limits were reached, and fails a row that is above them.
  public mutating func hold(against limits: SpeedLimits) {
    pctPeakFlops = gflopsPerSec.map { $0 / limits.gflopsPerSec * 100 }
    pctPeakBandwidth = gbytesPerSec.map { $0 / limits.gbytesPerSec * 100 }
    if status == .ok, let objection = limits.objection(to: self) {
      (status, reason) = (.failed, objection)
    }
  }
}
