import Foundation

extension Report {
  /// The report as one HTML file that loads nothing: style, script and drawings are inside.
  ///
  /// It is well-formed XML too, but for the script.
  public func html(_ drawings: ReportDrawings) -> String {
    var main = "<h1>\(escapedHTML(title))</h1>\n"
    if case .leftOut(let why) = drawings { main += "<p class=\"note\">\(escapedHTML(why))</p>\n" }
    let sections = sections(drawings)
    main += Self.contents(sections)
    for (index, section) in sections.enumerated() {
      main += "<section id=\"s\(index)\">\n"
      main += "<h\(section.level)>\(escapedHTML(section.title))</h\(section.level)>\n"
      for block in section.blocks { main += Self.html(block, drawings) }
      main += "</section>\n"
    }
    main += "<section id=\"rows\">\n<h2>All rows</h2>\n\(allRows.html())</section>\n"
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>\(escapedHTML(title))</title>
      <style>\(ReportPage.style)</style>
      </head>
      <body>
      <main>
      \(main)</main>
      <div id="tip" role="tooltip" hidden="hidden"></div>
      <script>\(ReportPage.script)</script>
      </body>
      </html>

      """
  }

  /// Links to the sections.
  private static func contents(_ sections: [ReportSection]) -> String {
    let links = sections.enumerated().map { index, section in
      "<a href=\"#s\(index)\">\(escapedHTML(section.title))</a>\n"
    }
    return "<nav>\n\(links.joined())<a href=\"#rows\">All rows</a>\n</nav>\n"
  }

  private static func html(_ block: ReportBlock, _ drawings: ReportDrawings) -> String {
    switch block {
    case .text(let text): return "<p>\(escapedHTML(text))</p>\n"
    case .code(let code): return "<pre>\(escapedHTML(code))</pre>\n"
    case .list(let items):
      return "<ul>\n" + items.map { "<li>\(escapedHTML($0))</li>\n" }.joined() + "</ul>\n"
    case .table(let caption, let table):
      return (caption.isEmpty ? "" : "<h3>\(escapedHTML(caption))</h3>\n") + table.html()
    case .plots(let plots):
      guard case .drawn(let drawn, _) = drawings else { return "" }
      return plots.map { plot in
        drawn[plot.name].map { figure(plot, $0) } ?? ""
      }.joined()
    }
  }

  private static func figure(_ plot: ReportPlot, _ drawing: String) -> String {
    // What stands before the element, such as an XML declaration, has no place in a page.
    let start = drawing.range(of: "<svg")?.lowerBound ?? drawing.endIndex
    // Names within one drawing must not be those of another.
    let own = String(drawing[start...])
      .replacing("id=\"", with: "id=\"\(plot.name)-")
      .replacing("url(#", with: "url(#\(plot.name)-")
      .replacing("href=\"#", with: "href=\"#\(plot.name)-")
    return "<figure aria-label=\"\(escapedHTML(plot.title))\">\(own)</figure>\n"
  }
}

extension Table {
  /// A table that the page's script sorts by its headings and filters by words; `data-value` has
  /// what is sorted by where it is not the text.
  func html() -> String {
    let head = columns.map { column in
      "<th scope=\"col\"\(column.alignment == .right ? " class=\"n\"" : "")>"
        + "<button type=\"button\">\(escapedHTML(column.heading))</button></th>"
    }.joined()
    let body = rows.map { row in
      let cells = zip(columns, row).map { column, cell in
        let alignment = column.alignment == .right ? " class=\"n\"" : ""
        let value = cell.exact.map { " data-value=\"\(escapedHTML($0))\"" } ?? ""
        return "<td\(alignment)\(value)>\(escapedHTML(cell.text))</td>"
      }
      return "<tr>\(cells.joined())</tr>\n"
    }.joined()
    return """
      <div class="table">
      <table>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body)</tbody>
      </table>
      </div>

      """
  }
}

/// A text as it stands in HTML, within elements and attributes.
func escapedHTML(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\n", "\t": result.unicodeScalars.append(scalar)
    default:
      // Control characters may stand in no document; nor may the two non-characters of the plane.
      let isForbidden =
        scalar.properties.generalCategory == .control || scalar == "\u{FFFE}"
        || scalar == "\u{FFFF}"
      result.unicodeScalars.append(isForbidden ? " " : scalar)
    }
  }
  return result
}
