/// Rows of results as flat tables.
enum ReportCSV {
  /// A column for each key that some row has, in the order of the keys; exact values.
  static func table(of rows: [BenchRow]) -> Table {
    let lines = rows.map(leaves)
    var names: [String] = []
    for line in lines {
      // A key that is new stands behind the one it follows in its row.
      var place = 0
      for (name, _) in line {
        if let found = names.firstIndex(of: name) {
          place = found + 1
        } else {
          names.insert(name, at: place)
          place += 1
        }
      }
    }
    var table = Table(names.map { .words($0, key: $0) })
    for line in lines {
      let values = Dictionary(line, uniquingKeysWith: { first, _ in first })
      table.add(names.map { Table.Cell(values[$0] ?? "") })
    }
    return table
  }

  /// The keys and values of a row, those of inner objects under joined keys.
  private static func leaves(_ row: BenchRow) -> [(String, String)] {
    guard let value = try? JSONValue(encoding: row) else { return [] }
    return leaves(value, under: "")
  }

  private static func leaves(_ value: JSONValue, under name: String) -> [(String, String)] {
    switch value {
    case .object(let members):
      members.flatMap {
        leaves($0.value, under: name.isEmpty ? $0.name : "\(name)_\($0.name)")
      }
    case .array(let values): [(name, values.map(text).joined(separator: "; "))]
    case .null, .bool, .integer, .unsigned, .number, .string: [(name, text(value))]
    }
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .null: ""
    case .bool, .integer, .unsigned, .number, .array, .object: value.text()
    }
  }

  /// One line for each row; columns in which nothing stands are left out.
  static func overview(of rows: [BenchRow]) -> Table {
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
