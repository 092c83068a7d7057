extension Report {
  /// The report as GitHub Flavored Markdown.
  public func markdown(_ drawings: ReportDrawings) -> String {
    var text = "# \(Self.escaped(title))\n"
    if case .leftOut(let why) = drawings { text += "\n\(Self.escaped(why))\n" }
    for section in sections(drawings) {
      text += "\n\(String(repeating: "#", count: section.level)) \(Self.escaped(section.title))\n"
      for block in section.blocks { text += Self.markdown(block, drawings) }
    }
    return text
  }

  private static func markdown(_ block: ReportBlock, _ drawings: ReportDrawings) -> String {
    switch block {
    case .text(let text): return "\n\(escaped(text))\n"
    case .code(let code): return "\n```\n\(oneLine(code))\n```\n"
    case .list(let items): return "\n" + items.map { "- \(escaped($0))\n" }.joined()
    case .table(let caption, let table):
      let heading = caption.isEmpty ? "" : "\n### \(escaped(caption))\n"
      return heading + "\n" + table.markdown()
    case .plots(let plots):
      guard case .drawn(let drawn, let folder?) = drawings else { return "" }
      return plots.filter { drawn[$0.name] != nil }.map { plot in
        "\n![\(escaped(plot.title))](\(link(folder + "/" + plot.name + ".svg")))\n"
      }.joined()
    }
  }

  /// A file's name as the target of a link.
  private static func link(_ path: String) -> String {
    path.contains { " ()<>".contains($0) } ? "<\(path.filter { !"<>".contains($0) })>" : path
  }

  private static func escaped(_ text: String) -> String {
    oneLine(text).map { #"\*_`<>[]|"#.contains($0) ? "\\\($0)" : String($0) }.joined()
  }
}
