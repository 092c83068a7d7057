import ApusBench
import Testing

@Suite("The limits of a machine")
struct SpeedLimitsTests {
  private let limits = SpeedLimits(gflopsPerSec: 100, gbytesPerSec: 50)

  private func row(gflops: Double?, gbytes: Double? = nil) -> BenchRow {
    var row = BenchRow(status: .ok, model: "m", mode: "infer")
    (row.gflopsPerSec, row.gbytesPerSec) = (gflops, gbytes)
    return row
  }

  @Test("fail a row that is faster in arithmetic or in bytes")
  func impossible() {
    var fast = row(gflops: 8000, gbytes: 1)
    fast.hold(against: limits)
    #expect(fast.status == .failed)
    #expect(
      fast.reason == "8,000 GFLOP/s are impossible: this machine's measured peak allows 100.0; "
        + "some result was not waited for, or not computed")
    var wide = row(gflops: 1, gbytes: 56)
    wide.hold(against: limits)
    #expect(wide.status == .failed && wide.reason?.hasPrefix("56.00 GB/s are impossible") == true)
  }

  @Test("let pass what is possible, and note the shares")
  func possible() {
    var row = row(gflops: 71, gbytes: 16.5)
    row.hold(against: limits)
    #expect(row.status == .ok && row.reason == nil)
    #expect(row.pctPeakFlops == 71 && row.pctPeakBandwidth == 33)
    var bare = self.row(gflops: nil)
    bare.hold(against: limits)
    #expect(bare.status == .ok && bare.pctPeakFlops == nil && bare.pctPeakBandwidth == nil)
  }

  @Test("leave room for the error of the peaks, and for algorithms with fewer operations")
  func room() {
    var close = row(gflops: 109)
    close.hold(against: limits)
    #expect(close.status == .ok)
    var tiled = row(gflops: 390)
    tiled.hold(against: SpeedLimits(gflopsPerSec: 100, gbytesPerSec: 50, savings: 4))
    #expect(tiled.status == .ok && tiled.pctPeakFlops == 390)
    var untiled = row(gflops: 390)
    untiled.hold(against: limits)
    #expect(untiled.status == .failed)
  }

  @Test("leave the reason of a row that has failed already")
  func failedBefore() {
    var failed = row(gflops: 8000)
    (failed.status, failed.reason) = (.failed, "logits differ")
    failed.hold(against: limits)
    #expect(failed.reason == "logits differ")
  }
}
