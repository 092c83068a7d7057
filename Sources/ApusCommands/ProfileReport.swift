import ApusBench
import ApusOneDNN
import ArgumentParser

/// What `apus profile` has found, as JSON and as text.
struct ProfileReport: Encodable {
  let model: String
  let execution: String
  let batchSize: Int
  /// How many images run at a time.
  let microBatch: Int
  let imageSize: Int
  let threads: Int
  let runs: Int
  let stopReason: StopReason?
  /// The median of whole runs.
  let medianMs: Double
  /// The median of the time of a run in which no step ran.
  let overheadMs: Double
  let gflopsPerSec: Double
  let peaks: Peaks
  /// In the order of the run.
  var steps: [ProfileRow]
  let kinds: [ProfileSum]
  let warnings: [String]

  /// Measured peaks in the units of reports.
  struct Peaks: Encodable {
    let gflopsPerSec, readGbytesPerSec, copyGbytesPerSec, cacheGbytesPerSec: Double

    init(_ peaks: MachinePeaks) {
      gflopsPerSec = peaks.flopsPerSecond * 1e-9
      readGbytesPerSec = peaks.readBytesPerSecond * 1e-9
      copyGbytesPerSec = peaks.copyBytesPerSecond * 1e-9
      cacheGbytesPerSec = peaks.cacheBytesPerSecond * 1e-9
    }

    private enum CodingKeys: String, CodingKey {
      case gflopsPerSec = "gflops_per_sec"
      case readGbytesPerSec = "read_gbytes_per_sec"
      case copyGbytesPerSec = "copy_gbytes_per_sec"
      case cacheGbytesPerSec = "cache_gbytes_per_sec"
    }

    var text: String {
      let number = HumanNumber.fourDigits
      return "\(number(gflopsPerSec)) GFLOP/s; memory \(number(readGbytesPerSec)) GB/s reading, "
        + "\(number(copyGbytesPerSec)) GB/s copying; caches \(number(cacheGbytesPerSec)) GB/s"
    }
  }

  private enum CodingKeys: String, CodingKey {
    case model, execution
    case batchSize = "batch_size"
    case microBatch = "micro_batch"
    case imageSize = "image_size"
    case threads, runs
    case stopReason = "stop_reason"
    case medianMs = "median_ms"
    case overheadMs = "overhead_ms"
    case gflopsPerSec = "gflops_per_sec"
    case peaks, steps, kinds, warnings
  }
}

extension ProfileReport {
  /// The steps in the wanted order, no more than `count`.
  func sorted(by order: Profile.Order, top count: Int?) -> ProfileReport {
    var report = self
    switch order {
    case .order: break
    case .time: report.steps.sort { ($1.medianMs, $0.index) < ($0.medianMs, $1.index) }
    case .gap: report.steps.sort { ($1.gapMs, $0.index) < ($0.gapMs, $1.index) }
    }
    if let count { report.steps = Array(report.steps.prefix(count)) }
    return report
  }

  var text: String {
    let number = HumanNumber.fourDigits
    let parts =
      microBatch == batchSize ? "" : " in \(batchSize / microBatch) micro-batches of \(microBatch)"
    let head =
      "\(model), batch \(batchSize)\(parts), \(execution), \(imageSize) × \(imageSize), "
      + "\(threads) threads: \(number(medianMs)) ms, \(number(gflopsPerSec)) GFLOP/s "
      + "(median of \(runs) runs)\npeaks: \(peaks.text)\n\n"
    let remarks = warnings.isEmpty ? "" : "\n" + warnings.map { "\($0)\n" }.joined()
    return head + stepTable.plain() + "\n" + kindTable.plain() + remarks
  }

  private var stepTable: Table {
    var table = Table([
      .numbers("#"), .numbers("gap", unit: "ms"), .numbers("time", unit: "ms"), .words("step"),
      .words("path"), .words("implementation"), .words("layouts"), .words("shapes"),
      .words("attributes"), .numbers("GFLOP/s"), .numbers("of peak"), .numbers("GB/s"),
      .numbers("of peak"),
    ])
    for row in steps {
      table.add([
        .count(row.index), .number(row.gapMs), .number(row.medianMs), "\(row.step.name)",
        "\(row.step.path)", "\(row.step.implementation)", "\(row.step.layouts)",
        "\(row.step.shapes)", "\(row.step.attributes)", .number(row.gflopsPerSec),
        .number(row.peakFlops, HumanNumber.percent), .number(row.gbytesPerSec),
        .number(row.peakBandwidth, HumanNumber.percent),
      ])
    }
    return table
  }

  private var kindTable: Table {
    var table = Table([
      .words("kind"), .numbers("steps"), .numbers("time", unit: "ms"), .numbers("of run"),
      .numbers("gap", unit: "ms"),
    ])
    for sum in kinds {
      table.add([
        "\(sum.kind)", .count(sum.steps), .number(sum.medianMs),
        .number(sum.medianMs / medianMs, HumanNumber.percent), .number(sum.gapMs),
      ])
    }
    table.add([
      "between steps", "", .number(overheadMs),
      .number(overheadMs / medianMs, HumanNumber.percent), .number(overheadMs),
    ])
    return table
  }
}

extension StepDescription {
  /// How the first operand and the result lie.
  fileprivate var layouts: String {
    arrow(operands.first?.layout, results.first?.layout)
  }

  /// The first operand's shape, with that of the filter or the right matrix, and the result's.
  fileprivate var shapes: String {
    var left = operands.first.map { text($0.shape) }
    if kind == .convolution || kind == .dot, operands.count > 1 {
      left = left.map { "\($0) * \(text(operands[1].shape))" }
    }
    return arrow(left, results.first.map { text($0.shape) })
  }

  private func arrow(_ from: String?, _ to: String?) -> String {
    guard let from, let to, from != to else { return to ?? from ?? "" }
    return "\(from) → \(to)"
  }

  private func text(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: "×")
  }
}
