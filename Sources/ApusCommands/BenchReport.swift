import ApusBench
import ArgumentParser
import Foundation

/// Collects the rows of a benchmark and prints them in the wanted form.
struct BenchReport {
  private let format: Bench.Format
  private var rows: [BenchRow] = []

  init(_ format: Bench.Format) { self.format = format }

  mutating func add(_ row: BenchRow) throws {
    rows.append(row)
    if format == .jsonl {
      try Console.output(JSONValue(encoding: row).text() + "\n")
    }
  }

  /// - Throws: exit code 130 after an interruption, 3 where a cell did not succeed.
  func finish() throws {
    switch format {
    case .jsonl: break
    case .json: try Console.output(JSONValue(encoding: rows).text(indented: true) + "\n")
    case .csv: try Console.output(BenchRow.csv(rows))
    case .markdown:
      try Console.output(table().markdown() + remarks(bullet: "- "))
    case .table: try Console.output(table().plain() + remarks(bullet: ""))
    }
    if Interruption.requested { throw ExitCode(Interruption.exitCode) }
    let hasFailed = rows.contains { [.oom, .timeout, .failed].contains($0.status) }
    // What a combination lacks is no failure, unless nothing could be measured at all.
    if hasFailed || !rows.contains(where: { $0.status == .ok }) { throw ExitCode(3) }
  }

  private typealias Column = (column: Table.Column, cell: (BenchRow) -> Table.Cell)

  private func table() -> Table {
    let columns = cellColumns + measuredColumns + trainingColumns
    var table = Table(columns.map(\.column))
    for row in rows { table.add(columns.map { $0.cell(row) }) }
    return table
  }

  /// What says which cell it is, as far as cells differ or are not as usual.
  private var cellColumns: [Column] {
    var columns: [Column] = [(.words("model"), { "\($0.model)" })]
    if rows.contains(where: { !SweepCell(of: $0).variantWords.isEmpty }) {
      columns.append((.words("variant"), { "\(SweepCell(of: $0).variantWords)" }))
    }
    if hasTraining { columns.append((.words("mode"), { "\($0.mode)" })) }
    columns.append((.numbers("batch"), { .count($0.batchSize) }))
    columns.append((.words("execution"), { "\($0.execution ?? "")" }))
    if rows.contains(where: { $0.device != "cpu" }) {
      columns.append((.words("device"), { "\($0.device ?? "")" }))
      columns.append((.words("precision"), { "\($0.precision ?? "")" }))
    }
    columns.append((.numbers("threads"), { .count($0.threads) }))
    if rows.contains(where: { $0.repeat ?? 1 > 1 }) {
      columns.append((.numbers("round"), { .count($0.repeat) }))
    }
    return columns
  }

  private var measuredColumns: [Column] {
    [
      (.numbers("median", unit: "ms"), { .number($0.latencyMs?.median) }),
      (.numbers("min", unit: "ms"), { .number($0.latencyMs?.min) }),
      (.numbers("sd", unit: "ms"), { .number($0.latencyMs?.sd) }),
      (.numbers("n"), { .count($0.n) }),
      (.numbers("images/s"), { .number($0.samplesPerSec) }),
      (.numbers("GFLOP/s"), { .number($0.gflopsPerSec) }),
      (.numbers("load", unit: "ms"), { .number($0.loadMs) }),
      (.numbers("compile", unit: "ms"), { .number($0.compileMs) }),
      (.numbers("arena", unit: "MiB"), { .mebibytes($0.plannedBytes?.arena) }),
      (.numbers("planned", unit: "MiB"), { .mebibytes($0.plannedBytes?.total) }),
      (.numbers("process", unit: "MiB"), { .mebibytes($0.bytesBeyondBaseline) }),
      (
        .numbers("difference"), { .number($0.maxRelDiff) { String(format: "%.0e", $0) } }
      ),
    ]
  }

  private var trainingColumns: [Column] {
    if !hasTraining { return [] }
    return [
      (.numbers("forward", unit: "ms"), { Self.cell($0.forwardMs) }),
      (.numbers("backward", unit: "ms"), { Self.cell($0.backwardMs) }),
      (.numbers("loss"), { .number($0.loss?.last) }),
    ]
  }

  private var hasTraining: Bool { rows.contains { $0.mode != ModeOption.infer.rawValue } }

  /// A mean with the deviation of the runs' means.
  private static func cell(_ time: BenchRow.MeanAndDeviation?) -> Table.Cell {
    guard let time else { return "" }
    let deviation = time.sd.map { " ± " + HumanNumber.fourDigits($0) } ?? ""
    return Table.Cell(HumanNumber.fourDigits(time.mean) + deviation, exact: "\(time.mean)")
  }

  /// What the table has no room for, after an empty line.
  private func remarks(bullet: String) -> String {
    let lines = rows.flatMap { row in
      let failure = row.status == .ok ? nil : "\(row.status.rawValue): \(row.reason ?? "")"
      let cell = SweepCell(of: row)
      return ([failure].compactMap { $0 } + row.warnings).map { "\(bullet)\(cell): \($0)\n" }
    }
    return lines.isEmpty ? "" : "\n" + lines.joined()
  }
}
