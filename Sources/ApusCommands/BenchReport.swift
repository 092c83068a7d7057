import ApusBench
import ArgumentParser
import Foundation

/// Collects the rows of a benchmark and prints them in the wanted form.
struct BenchReport {
  private let format: Bench.Format
  private var rows: [BenchRow] = []

  init(_ format: Bench.Format) { self.format = format }

  /// Says on standard error what is being measured.
  func announce(_ cell: String) { Console.report(cell) }

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
    case .table: try Console.output(table().plain() + remarks())
    }
    if Interruption.requested { throw ExitCode(Interruption.exitCode) }
    if rows.contains(where: { $0.status != .ok }) { throw ExitCode(3) }
  }

  private func table() -> Table {
    // Where all run forward on the CPU, that is not worth columns.
    let hasDevices = rows.contains { $0.device != "cpu" }
    let hasTraining = rows.contains { $0.mode != ModeOption.infer.rawValue }
    var columns: [Table.Column] = [.words("model")]
    if hasTraining { columns.append(.words("mode")) }
    columns += [.numbers("batch"), .words("execution")]
    if hasDevices { columns += [.words("device"), .words("precision")] }
    columns += [
      .numbers("threads"), .numbers("median", unit: "ms"), .numbers("min", unit: "ms"),
      .numbers("sd", unit: "ms"), .numbers("n"), .numbers("images/s"), .numbers("GFLOP/s"),
      .numbers("load", unit: "ms"), .numbers("compile", unit: "ms"),
      .numbers("arena", unit: "MiB"), .numbers("difference"),
    ]
    if hasTraining {
      columns += [
        .numbers("forward", unit: "ms"), .numbers("backward", unit: "ms"),
        .numbers("planned", unit: "MiB"), .numbers("process", unit: "MiB"), .numbers("loss"),
      ]
    }
    var table = Table(columns)
    for row in rows {
      table.add(cells(row, hasDevices: hasDevices, hasTraining: hasTraining))
    }
    return table
  }

  private func cells(
    _ row: BenchRow, hasDevices: Bool, hasTraining: Bool
  ) -> [Table.Cell] {
    let latency = row.latencyMs
    var cells: [Table.Cell] = ["\(row.model)"]
    if hasTraining { cells.append("\(row.mode)") }
    cells += [.count(row.batchSize), "\(row.execution ?? "")"]
    if hasDevices { cells += ["\(row.device ?? "")", "\(row.precision ?? "")"] }
    cells += [
      .count(row.threads), .number(latency?.median), .number(latency?.min),
      .number(latency?.sd), .count(row.n), .number(row.samplesPerSec),
      .number(row.gflopsPerSec), .number(row.loadMs), .number(row.compileMs),
      .mebibytes(row.plannedBytes?.arena),
      .number(row.maxRelDiff) { String(format: "%.0e", $0) },
    ]
    if hasTraining {
      cells += [
        Self.cell(row.forwardMs), Self.cell(row.backwardMs), .mebibytes(row.plannedBytes?.total),
        .mebibytes(row.bytesBeyondBaseline), .number(row.loss?.last),
      ]
    }
    return cells
  }

  /// A mean with the deviation of the runs' means.
  private static func cell(_ time: BenchRow.MeanAndDeviation?) -> Table.Cell {
    guard let time else { return "" }
    let deviation = time.sd.map { " ± " + HumanNumber.fourDigits($0) } ?? ""
    return Table.Cell(HumanNumber.fourDigits(time.mean) + deviation, exact: "\(time.mean)")
  }

  /// What the table has no room for, after an empty line.
  private func remarks() -> String {
    let lines = rows.flatMap { row in
      let place = row.device == "cpu" ? "" : ", \(row.device ?? ""), \(row.precision ?? "")"
      let mode = row.mode == ModeOption.infer.rawValue ? "" : ", \(row.mode)"
      let cell = "\(row.model)\(mode), batch \(row.batchSize ?? 0), \(row.execution ?? "")\(place)"
      let failure = row.status == .ok ? nil : "\(row.status.rawValue): \(row.reason ?? "")"
      return ([failure].compactMap { $0 } + row.warnings).map { "\(cell): \($0)\n" }
    }
    return lines.isEmpty ? "" : "\n" + lines.joined()
  }
}
