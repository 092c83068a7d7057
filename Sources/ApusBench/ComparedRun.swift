/// One side of a comparison: a run, with the times of its iterations where they are there.
public struct ComparedRun: Sendable {
  /// What to call it.
  public let name: String
  let rows: [(row: BenchRow, samples: [Double]?)]

  public init(name: String, rows: [(row: BenchRow, samples: [Double]?)]) {
    self.name = name
    self.rows = rows
  }

  /// Reads a run's folder or its `results.jsonl`.
  public init(reading path: String) throws(RunDirectoryError) {
    var rows: [(row: BenchRow, samples: [Double]?)] = []
    for row in try RunDirectory.read(path) {
      rows.append((row, try RunDirectory.samples(of: row, in: path)))
    }
    self.init(name: path, rows: rows)
  }

  /// What a cell's repetitions say of a metric.
  struct Measurements {
    /// Values of each process that succeeded.
    var processes: [[Double]] = []
    /// Why there is none of the others.
    var failures: [String] = []
  }

  /// Cells in the order of their first rows, those that succeeded first, with what each says of a
  /// metric.
  func cells(_ metric: ComparedMetric) -> [(cell: BenchCell, measurements: Measurements)] {
    var cells: [(cell: BenchCell, measurements: Measurements)] = []
    var places: [BenchCell: Int] = [:]
    var placesBeforeCompiling: [BenchCell: Int] = [:]
    func place(of row: BenchRow) -> Int {
      let cell = BenchCell(row)
      let before = row.status == .ok ? nil : placesBeforeCompiling[cell]
      if let place = places[cell] ?? before { return place }
      places[cell] = cells.count
      placesBeforeCompiling[cell.beforeCompiling] = cells.count
      cells.append((cell, Measurements()))
      return cells.count - 1
    }
    for (row, samples) in rows where row.status == .ok {
      let place = place(of: row)
      if let values = metric.values(of: row, samples: samples) {
        cells[place].measurements.processes.append(values)
      } else {
        cells[place].measurements.failures.append("no \(metric.rawValue)")
      }
    }
    for (row, _) in rows where row.status != .ok {
      let reason = row.reason.map { ": " + oneLine($0) } ?? ""
      let place = place(of: row)
      cells[place].measurements.failures.append(row.status.rawValue + reason)
    }
    return cells
  }

  /// The machines it was measured on.
  var machines: [String] {
    let machines = rows.map { row, _ in
      [row.host, row.cpu].compactMap { $0.map(oneLine) }.joined(separator: ", ")
    }
    return Set(machines).subtracting([""]).sorted()
  }
}
