import ApusBench
import ApusOneDNN

/// A step of a program, how long it took in all micro-batches of a run, and what the machine's peaks
/// would allow.
struct ProfileRow: Encodable {
  /// The step's place in the run, from 1.
  let index: Int
  let step: StepDescription
  /// Of a run, all micro-batches together.
  let macs: Int
  let bytes: Int
  let medianMs: Double
  let minMs: Double
  let gflopsPerSec: Double?
  let gbytesPerSec: Double
  let peakFlops: Double?
  let peakBandwidth: Double
  let boundMs: Double

  /// Time beyond the bound.
  var gapMs: Double { max(0, medianMs - boundMs) }

  init(
    index: Int, _ step: StepDescription, microBatches: Int, _ times: Statistics,
    _ peaks: MachinePeaks
  ) {
    self.index = index
    self.step = step
    (macs, bytes) = (microBatches * step.macs, microBatches * step.bytes)
    (medianMs, minMs) = (times.median, times.minimum)
    // The clock may stand still during a step that does next to nothing.
    let seconds = max(times.median, 1e-6) * 1e-3
    let flops = 2 * Double(macs)
    let bytes = Double(bytes)
    gflopsPerSec = macs > 0 ? flops / seconds * 1e-9 : nil
    gbytesPerSec = bytes / seconds * 1e-9
    peakFlops = macs > 0 ? flops / seconds / peaks.flopsPerSecond : nil
    peakBandwidth = bytes / seconds / peaks.bytesPerSecond(for: step.bytes)
    // What a call touches decides whether the caches hold it.
    let bound = peaks.leastSeconds(flops: 2 * Double(step.macs), sizeInBytes: step.bytes)
    boundMs = Double(microBatches) * bound * 1e3
  }

  private enum CodingKeys: String, CodingKey {
    case index, path, op, attributes, kind, implementation, operands, results, macs, bytes
    case medianMs = "median_ms"
    case minMs = "min_ms"
    case gflopsPerSec = "gflops_per_sec"
    case gbytesPerSec = "gbytes_per_sec"
    case peakFlops = "pct_peak_flops"
    case peakBandwidth = "pct_peak_bandwidth"
    case boundMs = "bound_ms"
    case gapMs = "gap_ms"
  }

  func encode(to encoder: any Encoder) throws {
    var row = encoder.container(keyedBy: CodingKeys.self)
    try row.encode(index, forKey: .index)
    try row.encode(step.path, forKey: .path)
    try row.encode(step.name, forKey: .op)
    try row.encode(step.attributes, forKey: .attributes)
    try row.encode(step.kind, forKey: .kind)
    try row.encode(step.implementation, forKey: .implementation)
    try row.encode(step.operands, forKey: .operands)
    try row.encode(step.results, forKey: .results)
    try row.encode(macs, forKey: .macs)
    try row.encode(bytes, forKey: .bytes)
    try row.encode(medianMs, forKey: .medianMs)
    try row.encode(minMs, forKey: .minMs)
    try row.encodeIfPresent(gflopsPerSec, forKey: .gflopsPerSec)
    try row.encode(gbytesPerSec, forKey: .gbytesPerSec)
    try row.encodeIfPresent(peakFlops.map { 100 * $0 }, forKey: .peakFlops)
    try row.encode(100 * peakBandwidth, forKey: .peakBandwidth)
    try row.encode(boundMs, forKey: .boundMs)
    try row.encode(gapMs, forKey: .gapMs)
  }
}

/// The steps of one kind together.
struct ProfileSum: Encodable {
  let kind: String
  let steps: Int
  let medianMs: Double
  let gapMs: Double

  private enum CodingKeys: String, CodingKey {
    case kind, steps
    case medianMs = "median_ms"
    case gapMs = "gap_ms"
  }

  /// The sums of all kinds that occur, the longest first.
  static func sums(of rows: [ProfileRow]) -> [ProfileSum] {
    Dictionary(grouping: rows, by: \.step.kind).map { kind, rows in
      ProfileSum(
        kind: kind.rawValue, steps: rows.count, medianMs: rows.reduce(0) { $0 + $1.medianMs },
        gapMs: rows.reduce(0) { $0 + $1.gapMs })
    }
    .sorted { ($1.medianMs, $0.kind) < ($0.medianMs, $1.kind) }
  }
}
