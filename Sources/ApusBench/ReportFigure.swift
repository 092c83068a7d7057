/// A figure that a report shows of a measurement.
public enum ReportFigure: Hashable, Sendable {
  /// The shortest iteration, in seconds.
  case shortest
  /// The median of the iterations, in milliseconds.
  case median
  /// The mean of the iterations, in milliseconds.
  case mean
  /// The mean with the shortest and the longest iteration, in milliseconds.
  case range
  /// A whole training step, in milliseconds: mean ± standard deviation of the runs' means.
  case step
  /// Its forward half.
  case forward
  /// Its backward half.
  case backward
  case imagesPerSecond
  /// Memory of the process, or of its device where that has its own, in MiB.
  case processMemory
  /// What a device's allocator gave at most, else what the process took beyond its baseline, in
  /// MiB.
  case allocatedMemory

  /// The number, in the figure's unit; nil where the row does not have it.
  public func value(of row: BenchRow) -> Double? {
    switch self {
    case .shortest: row.latencyMs.map { $0.min / 1000 }
    case .median: row.latencyMs?.median
    case .mean, .range: row.latencyMs?.mean
    case .step: row.stepMs?.mean ?? row.latencyMs?.mean
    case .forward: row.forwardMs?.mean
    case .backward: row.backwardMs?.mean
    case .imagesPerSecond: row.samplesPerSec
    case .processMemory: mebibytes(row.devicePeakBytes ?? row.peakRssBytes?.steady)
    case .allocatedMemory: mebibytes(row.devicePeakBytes ?? row.bytesBeyondBaseline)
    }
  }

  /// The figure as people read it, without a unit but for seconds.
  public func text(of row: BenchRow) -> String? {
    guard let value = value(of: row) else { return nil }
    let number = HumanNumber.fourDigits
    switch self {
    case .shortest: return number(value) + " s"
    case .range:
      return row.latencyMs.map {
        "\(number($0.mean)) [\(number($0.min)), \(number($0.max))]"
      }
    case .step: return number(value) + deviation(row.stepMs)
    case .forward: return number(value) + deviation(row.forwardMs)
    case .backward: return number(value) + deviation(row.backwardMs)
    case .median, .mean, .imagesPerSecond, .processMemory, .allocatedMemory: return number(value)
    }
  }

  /// The row that stands for the repetitions of a cell: the one with the least `shortest`, or with
  /// the middle one of any other figure; nil without a row that has the figure.
  public func representative(of rows: [BenchRow]) -> BenchRow? {
    let known = rows.compactMap { row in value(of: row).map { (value: $0, row: row) } }
      .sorted { $0.value < $1.value }
    guard let first = known.first else { return nil }
    return self == .shortest ? first.row : known[(known.count - 1) / 2].row
  }

  private func mebibytes(_ bytes: Int?) -> Double? { bytes.map { Double($0) / 1_048_576 } }

  private func deviation(_ time: BenchRow.MeanAndDeviation?) -> String {
    (time?.sd).map { " ± " + HumanNumber.fourDigits($0) } ?? ""
  }
}

extension BenchRow {
  /// Why a cell has no figure: "out of memory", "skipped: why"; nil for one that was measured.
  public var missing: String? {
    let because = reason.map { ": " + $0 } ?? ""
    return switch status {
    case .ok: nil
    case .oom: "out of memory"
    case .timeout: "timed out" + because
    case .failed: "failed" + because
    case .skipped: "skipped" + because
    }
  }
}

extension Collection<BenchRow> {
  /// Rows of one cell as a table's cell: the figure, or why there is none.
  func cell(_ figure: ReportFigure) -> Table.Cell {
    let measured = filter { $0.status == .ok }
    if let row = figure.representative(of: measured), let text = figure.text(of: row) {
      return Table.Cell(text, exact: figure.value(of: row).map(\.description))
    }
    return Table.Cell(missing, exact: "")
  }

  /// Why there is no figure of these rows.
  var missing: String {
    guard let row = first(where: { $0.status == .ok }) ?? first else { return "not in this run" }
    return row.missing.map(shortened) ?? "not measured"
  }
}

/// The first line of a text, so much of it as a table's cell can take.
private func shortened(_ text: String) -> String {
  let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
  return line.count > 90 ? line.prefix(89) + "…" : line
}
