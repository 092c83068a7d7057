/// What a report says before and after its tables: machine, software, command, and what to be
/// careful with.
struct ReportSummary {
  private let runs: [ReportRun]

  init(_ runs: [ReportRun]) { self.runs = runs }

  var sections: [ReportSection] {
    [ReportSection("Machine and software", level: 2, runs.flatMap(blocks))]
  }

  private func blocks(_ run: ReportRun) -> [ReportBlock] {
    var table = Table([.words(runs.count > 1 ? run.name : "what"), .words("value")])
    for fact in facts(run) { table.add([Table.Cell(fact.name), Table.Cell(fact.value)]) }
    let command = run.command.map { [ReportBlock.text("Made by:"), .code($0)] } ?? []
    return [.text(Self.counts(run.rows)), .table("", table)] + command
  }

  /// What the run's folder says, else what its rows say.
  private func facts(_ run: ReportRun) -> [ReportRun.Fact] {
    let known = Set(run.environment.map(\.name))
    let ofRows: [(String, (BenchRow) -> String?)] = [
      ("host", \.host), ("cpu", \.cpu), ("device", \.device), ("precision", \.precision),
      ("threads", { $0.threads.map(String.init) }), ("commit", \.commit),
      ("memory measured by", \.memoryMethod),
    ]
    let found = ofRows.compactMap { name, value -> ReportRun.Fact? in
      let values = unique(run.rows.compactMap(value))
      guard !known.contains(name), !values.isEmpty else { return nil }
      return ReportRun.Fact(name, values.joined(separator: ", "))
    }
    let dates = run.rows.compactMap(\.date).sorted()
    let date = dates.first.map { first in
      ReportRun.Fact("date", first == dates.last ? first : "\(first) to \(dates.last ?? first)")
    }
    return found + run.environment + (known.contains("date") ? [] : [date].compactMap(\.self))
  }

  /// "12 rows: 10 measured, 2 out of memory."
  static func counts(_ rows: [BenchRow]) -> String {
    let words: [(BenchRow.Status, String)] = [
      (.ok, "measured"), (.oom, "out of memory"), (.timeout, "timed out"), (.failed, "failed"),
      (.skipped, "skipped"),
    ]
    let counts = words.compactMap { status, word in
      let count = rows.count { $0.status == status }
      return count == 0 ? nil : "\(HumanNumber.count(count)) \(word)"
    }
    let parts = counts.isEmpty ? "" : ": " + counts.joined(separator: ", ")
    return "\(HumanNumber.count(rows.count)) \(rows.count == 1 ? "row" : "rows")\(parts)."
  }

  /// Cells without a figure, and each warning once with the cells it is about.
  static func warnings(of rows: [BenchRow]) -> ReportSection {
    let missing = rows.compactMap { row in row.missing.map { "\(row.cellName): \($0)" } }
    let warnings = unique(rows.flatMap(\.warnings)).map { warning in
      let cells = unique(rows.filter { $0.warnings.contains(warning) }.map(\.cellName))
      let more = cells.count > 3 ? " and \(cells.count - 3) more" : ""
      return "\(warning) (\(cells.prefix(3).joined(separator: "; "))\(more))"
    }
    var blocks: [ReportBlock] = []
    if !missing.isEmpty { blocks += [.text("Not measured:"), .list(missing)] }
    if !warnings.isEmpty { blocks += [.text("To be careful with:"), .list(warnings)] }
    if blocks.isEmpty { blocks = [.text("None.")] }
    return ReportSection("Warnings", level: 2, blocks)
  }
}

extension BenchRow {
  /// "resnet50, train, batch 4, compiled, 2 threads".
  var cellName: String {
    [
      model, mode == "infer" ? nil : mode, batchSize.map { "batch \($0)" }, execution,
      device == "cpu" ? nil : device, threads.map { $0 == 1 ? "1 thread" : "\($0) threads" },
    ].compactMap(\.self).joined(separator: ", ")
  }
}
