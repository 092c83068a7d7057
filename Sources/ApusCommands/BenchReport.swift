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
      print(try JSONValue(encoding: row).text())
      fflush(stdout)
    }
  }

  /// - Throws: exit code 130 after an interruption, 3 where a cell did not succeed.
  func finish() throws {
    switch format {
    case .jsonl: break
    case .json: print(try JSONValue(encoding: rows).text(indented: true))
    case .table: printTable()
    }
    if Interruption.requested { throw ExitCode(130) }
    if rows.contains(where: { $0.status != .ok }) { throw ExitCode(3) }
  }

  private func printTable() {
    var table = Table([
      .words("model"), .numbers("batch"), .words("execution"), .numbers("threads"),
      .numbers("median", unit: "ms"), .numbers("min", unit: "ms"), .numbers("sd", unit: "ms"),
      .numbers("n"), .numbers("images/s"), .numbers("GFLOP/s"), .numbers("load", unit: "ms"),
      .numbers("compile", unit: "ms"), .numbers("arena", unit: "MiB"), .numbers("vs eager"),
    ])
    for row in rows {
      let latency = row.latencyMs
      table.add([
        "\(row.model)", .count(row.batchSize), "\(row.execution ?? "")", .count(row.threads),
        .number(latency?.median), .number(latency?.min), .number(latency?.sd), .count(row.n),
        .number(row.samplesPerSec), .number(row.gflopsPerSec), .number(row.loadMs),
        .number(row.compileMs), .mebibytes(row.plannedBytes?.arena),
        .number(row.maxRelDiff) { String(format: "%.0e", $0) },
      ])
    }
    print(table.plain())
    for row in rows {
      let cell = "\(row.model), batch \(row.batchSize ?? 0), \(row.execution ?? "")"
      if row.status != .ok { print("\(cell): \(row.status.rawValue): \(row.reason ?? "")") }
      for warning in row.warnings { print("\(cell): \(warning)") }
    }
  }
}
