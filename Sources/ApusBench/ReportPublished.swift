/// The rows of a run, laid out like the published table that it measured.
struct ReportPublished {
  let table: PublishedTable
  let rows: [BenchRow]

  var section: ReportSection {
    ReportSection(
      "\(table.title) (\(table.name))", level: 2,
      [
        .text("Published: \(table.source); \(table.machine). \(table.method)"),
        .text("Each cell: ours, and in brackets what was published."),
      ] + table.sections.map { .table($0.title, grid($0)) } + further)
  }

  /// Executions of the run that the page does not have.
  private var peers: [String] {
    let published = Set(table.cells.map(\.execution))
    var seen = published
    return rows.compactMap(\.execution).filter { seen.insert($0).inserted }
  }

  /// The sections once more for each further execution, where those are not columns.
  private var further: [ReportBlock] {
    guard table.peers == .sections else { return [] }
    return peers.flatMap { peer in
      table.sections.map { section in
        .table("\(section.title): \(peer)", grid(section.with(execution: peer)))
      }
    }
  }

  private func grid(_ section: PublishedTable.Section) -> Table {
    let beside = table.peers == .columns ? peers : []
    var grid = Table(
      [.words(section.corner)] + section.columns.map { .numbers($0) }
        + beside.map { .numbers("Best Timing (\($0))") }
        + beside.map { .numbers("Speedup (\($0) vs compiled)") })
    for row in section.rows {
      let peerCells = beside.isEmpty ? [] : self.beside(row, beside)
      grid.add([Table.Cell(row.title)] + (row.entries + peerCells).map(cell))
    }
    return grid
  }

  /// A row's first figure for each further execution, then ours held against it.
  private func beside(
    _ row: PublishedTable.Row, _ peers: [String]
  ) -> [PublishedTable.Entry] {
    guard case .figure(let figure, let ours, _) = row.entries.first else { return [] }
    let theirs = peers.map { ours.with(execution: $0) }
    return theirs.map { .figure(figure, of: $0, published: nil) }
      + theirs.map { .speedUp(of: ours, over: $0, by: figure, published: nil) }
  }

  private func cell(_ entry: PublishedTable.Entry) -> Table.Cell {
    switch entry {
    case .words(let text): return Table.Cell(text.isEmpty ? "" : "(\(text))", exact: "")
    case .figure(let figure, let cell, let published):
      return measured(cell).cell(figure).beside(published)
    case .speedUp(let fast, let slow, let figure, let published):
      return speedUp(of: fast, over: slow, by: figure).beside(published)
    }
  }

  private func speedUp(
    of fast: PublishedCell, over slow: PublishedCell, by figure: ReportFigure
  ) -> Table.Cell {
    let (ours, theirs) = (measured(fast).cell(figure), measured(slow).cell(figure))
    guard let time = ours.exact.flatMap(Double.init), time > 0,
      let other = theirs.exact.flatMap(Double.init)
    else {
      return ours.exact.flatMap(Double.init) == nil ? ours : theirs
    }
    return Table.Cell(HumanNumber.decimal(other / time, 2) + "x", exact: "\(other / time)")
  }

  private func measured(_ cell: PublishedCell) -> [BenchRow] { rows.filter(cell.matches) }
}

extension ReportPublished {
  /// Published figures of cells that a run measured without following a table; nil without any.
  static func elsewhere(_ rows: [BenchRow]) -> ReportSection? {
    var table = Table([
      .words("cell"), .words("figure"), .numbers("ours"), .numbers("published"), .words("on"),
      .words("by"),
    ])
    for published in PublishedTable.all {
      let entries = published.sections.flatMap { section in
        section.rows.flatMap { row in
          zip(section.columns, row.entries).map { (section: section.title, column: $0, entry: $1) }
        }
      }
      for (section, column, entry) in entries {
        guard case .figure(let figure, let cell, let text?) = entry,
          let row = figure.representative(
            of: rows.filter { $0.status == .ok && cell.matches($0) })
        else { continue }
        table.add([
          Table.Cell(row.cellName), Table.Cell("\(section), \(column)"), [row].cell(figure),
          Table.Cell(text), Table.Cell(published.machine), Table.Cell(published.source),
        ])
      }
    }
    guard !table.rows.isEmpty else { return nil }
    return ReportSection(
      "Published figures of the same cells", level: 2,
      [.text("Other machines, and not everywhere the same rules."), .table("", table)])
  }
}

extension Table.Cell {
  /// The cell with a published figure in brackets.
  fileprivate func beside(_ published: String?) -> Table.Cell {
    guard let published else { return self }
    return Table.Cell("\(text) (\(published))", exact: exact)
  }
}

extension PublishedTable.Section {
  /// The figures of ours as another execution has them; nothing of it was published.
  fileprivate func with(execution: String) -> PublishedTable.Section {
    PublishedTable.Section(
      title, corner: corner, columns: columns,
      rows: rows.map { row in
        PublishedTable.Row(
          row.title,
          row.entries.map { entry in
            switch entry {
            case .words: .words("")
            case .figure(let figure, let cell, _):
              .figure(figure, of: cell.with(execution: execution), published: nil)
            case .speedUp(let fast, let slow, let figure, _):
              .speedUp(
                of: fast.with(execution: execution), over: slow.with(execution: execution),
                by: figure, published: nil)
            }
          })
      })
  }
}
