/// The rows of results in a table for people.
enum ReportOverview {
  /// One line for each row; columns in which nothing stands are left out.
  static func table(of rows: [BenchRow]) -> Table {
    let columns: [(Table.Column, (BenchRow) -> Table.Cell)] = [
      (.words("model"), { "\($0.model)" }),
      (.words("mode"), { "\($0.mode)" }),
      (.words("execution"), { "\($0.execution ?? "")" }),
      (.words("device"), { "\($0.device ?? "")" }),
      (.words("precision"), { "\($0.precision ?? "")" }),
      (.words("norm"), { "\($0.norm ?? "")" }),
      (.words("activation"), { "\($0.activation ?? "")" }),
      (.words("checkpoint"), { "\($0.checkpoint ?? "")" }),
      (.numbers("batch"), { .count($0.batchSize) }),
      (.numbers("threads"), { .count($0.threads) }),
      (.words("status"), { Table.Cell($0.missing ?? "ok") }),
      (.numbers("median", unit: "ms"), { .number($0.latencyMs?.median) }),
      (.numbers("min", unit: "ms"), { .number($0.latencyMs?.min) }),
      (.numbers("sd", unit: "ms"), { .number($0.latencyMs?.sd) }),
      (.numbers("images/s"), { .number($0.samplesPerSec) }),
      (.numbers("GFLOP/s"), { .number($0.gflopsPerSec) }),
      (.numbers("compile", unit: "ms"), { .number($0.compileMs) }),
      (.numbers("planned", unit: "MiB"), { .mebibytes($0.plannedBytes?.total) }),
      (.numbers("process", unit: "MiB"), { .mebibytes($0.peakRssBytes?.steady) }),
      (.numbers("difference"), { .number($0.maxRelDiff, HumanNumber.scientific) }),
    ]
    var table = Table(columns.map(\.0))
    for row in rows { table.add(columns.map { $0.1(row) }) }
    return table.withoutEmptyColumns()
  }
}
