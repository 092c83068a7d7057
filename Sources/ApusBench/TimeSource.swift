import Foundation

/// A clock that never goes backwards, counted in nanoseconds from an arbitrary origin.
///
/// Not called `Clock`, which is a protocol of the standard library that also demands sleeping.
public protocol TimeSource {
  /// Nanoseconds since the origin.
  var nanoseconds: Int64 { get }
}

/// The monotonic clock of the operating system (`CLOCK_MONOTONIC`), which no time setting moves.
public struct MonotonicClock: TimeSource, Sendable {
  public init() {}

  public var nanoseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension TimeSource {
  /// The smallest step between two readings, in nanoseconds, seen in `readings` readings in a row;
  /// nil when the clock stood still. It covers the cost of a reading as well as the resolution.
  public func smallestStep(readings: Int = 1000) -> Int64? {
    var smallest: Int64?
    var last = nanoseconds
    for _ in 0..<max(0, readings) {
      let now = nanoseconds
      if now > last { smallest = min(smallest ?? .max, now - last) }
      last = now
    }
    return smallest
  }
}

extension Duration {
  /// The whole nanoseconds of this duration, limited to what an `Int64` holds.
  package var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }

  /// This duration in seconds.
  package var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
