/// What there is to tell of some runs: sections of tables and plots, for Markdown and HTML alike.
public struct Report: Sendable {
  public let title: String
  public let sections: [ReportSection]
  /// Every plot that the sections name.
  public let plots: [ReportPlot]
  /// Every row, flat, for people who want to compute.
  private let rows: [BenchRow]

  public init(_ runs: [ReportRun]) {
    let names = runs.map(\.name).joined(separator: ", ")
    title = "Benchmark: \(names)"
    rows = runs.flatMap(\.rows)
    let subjects = ReportSubject.subjects(of: runs)
    let plotted = subjects.map { (subject: $0, plots: ReportPlot.plots(of: $0)) }
    let overview = ReportPlot.overview(of: subjects)
    plots = overview + plotted.flatMap(\.plots)
    var sections = ReportSummary(runs).sections
    for run in runs {
      if let table = run.table {
        sections.append(ReportPublished(table: table, rows: run.rows).section)
      }
    }
    for (subject, plots) in plotted {
      sections.append(
        ReportSection(
          subject.title, level: 2,
          ReportTables(subject: subject).blocks + (plots.isEmpty ? [] : [.plots(plots)])))
    }
    let others = runs.filter { $0.table == nil }.flatMap(\.rows)
    sections += [ReportPublished.elsewhere(others)].compactMap(\.self)
    if !overview.isEmpty {
      sections.append(ReportSection("Speed against memory", level: 2, [.plots(overview)]))
    }
    sections.append(ReportSummary.warnings(of: rows))
    self.sections = sections
  }

  /// All rows as comma-separated values: the keys of `results.jsonl`, those of objects joined by
  /// "_".
  public var csv: String {
    get throws(EncodingError) { try BenchRow.csv(rows) }
  }

  /// The sections that have something to show.
  func sections(_ drawings: ReportDrawings) -> [ReportSection] {
    sections.filter { section in
      section.blocks.contains { block in
        guard case .plots(let plots) = block else { return true }
        guard case .drawn(let drawn, _) = drawings else { return false }
        return plots.contains { drawn[$0.name] != nil }
      }
    }
  }

  /// All rows with what people look for, to be sorted and filtered.
  var allRows: Table { ReportOverview.table(of: rows) }
}

/// A section of a report.
public struct ReportSection: Sendable {
  public let title: String
  /// Of its heading: 2, 3, …
  public let level: Int
  public let blocks: [ReportBlock]

  init(_ title: String, level: Int, _ blocks: [ReportBlock]) {
    self.title = title
    self.level = level
    self.blocks = blocks
  }
}

/// A part of a section.
public enum ReportBlock: Sendable {
  case text(String)
  case code(String)
  case list([String])
  case table(_ caption: String, Table)
  case plots([ReportPlot])
}

/// How the plots of a report were drawn.
public enum ReportDrawings: Sendable {
  /// The plots that were drawn: their SVG texts by the plots' names.
  ///
  /// - Parameter folder: where the pictures lie, seen from the report; nil where they were not kept.
  case drawn([String: String], folder: String?)
  /// Why there are none, and how to get them.
  case leftOut(String)
}
