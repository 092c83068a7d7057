import Apus
import ApusBench
import ArgumentParser
import Foundation

/// `apus report`
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Tell of measurements in Markdown, HTML, CSV and plots.",
    discussion: """
      Without --html, --markdown, --csv and --plots, report.html, report.md and plots/ are written \
      into RUN. "-" is standard output. A run of a published table is laid out like that, the \
      published figures beside. The HTML file needs no network. Plots are drawn by vl-convert, a \
      package of Python that scripts/plots installs; without it everything else is written.
      """)

  @Argument(
    help: ArgumentHelp(
      "Folders that `apus bench -o` wrote, or files like their results.jsonl.", valueName: "run"),
    completion: .file())
  var paths: [String]

  @Option(help: "Write one HTML file: tables that sort and filter, plots.", completion: .file())
  var html: String?

  @Option(help: "Write Markdown.", completion: .file())
  var markdown: String?

  @Option(help: "Write every row as comma-separated values.", completion: .file())
  var csv: String?

  @Option(
    help: "A folder for the plots: .vl.json (Vega-Lite), .svg, .png.", completion: .directory)
  var plots: String?

  /// Where each part goes.
  private struct Destinations {
    var html, markdown, csv, plots: String?
  }

  func validate() throws {
    if [html, markdown, csv].count(where: { $0 == "-" }) > 1 {
      throw ValidationError("standard output must be for one of --html, --markdown and --csv")
    }
  }

  func run() throws {
    let runs = try paths.map(ReportRun.init(reading:))
    if runs.allSatisfy(\.rows.isEmpty) {
      throw InputError(
        "\(paths.map(\.printable).joined(separator: ", ")): must have a row, got none; "
          + "measure something with `apus bench -o`")
    }
    let report = Report(runs)
    let destinations = try destinations()
    let drawings = try draw(report, destinations)
    if case .leftOut(let why) = drawings { Console.report(why) }
    if let path = destinations.html { try write(report.html(drawings), to: path) }
    if let path = destinations.markdown { try write(report.markdown(drawings), to: path) }
    if let path = destinations.csv { try write(try report.csv, to: path) }
  }

  private func destinations() throws -> Destinations {
    let named = Destinations(html: html, markdown: markdown, csv: csv, plots: plots)
    if [html, markdown, csv, plots].contains(where: { $0 != nil }) { return named }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: paths[0], isDirectory: &isFolder)
    guard exists, isFolder.boolValue else {
      throw InputError(
        "\(paths[0].printable): must be a folder to write the report into, got a file; "
          + "say where with --html, --markdown, --csv or --plots")
    }
    return Destinations(
      html: paths[0] + "/report.html", markdown: paths[0] + "/report.md", csv: nil,
      plots: paths[0] + "/plots")
  }

  /// Draws the plots where anything asks for them: into their folder, or into one that is removed.
  private func draw(_ report: Report, _ destinations: Destinations) throws -> ReportDrawings {
    guard !report.plots.isEmpty, destinations.plots != nil || destinations.html != nil else {
      return .drawn([:], folder: nil)
    }
    let folder = destinations.plots ?? ReportDrawing.temporaryFolder()
    defer { if destinations.plots == nil { try? FileManager.default.removeItem(atPath: folder) } }
    let drawing = ReportDrawing(folder: folder)
    try drawing.writeSpecifications(report.plots)
    do {
      let shown = destinations.plots.map { plots in
        destinations.markdown.map { ReportDrawing.path(of: plots, from: $0) } ?? plots
      }
      return .drawn(try drawing.draw(report.plots), folder: shown)
    } catch let error as ReportDrawing.Failure {
      return .leftOut(error.description)
    }
  }

  private func write(_ text: String, to path: String) throws {
    if path == "-" {
      try Console.output(text)
    } else {
      try AtomicFile.write(text, to: path)
    }
  }
}
