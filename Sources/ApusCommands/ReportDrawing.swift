import Apus
import ApusBench
import Foundation

/// Draws the plots of a report in a folder, with the package vl-convert of some Python.
struct ReportDrawing {
  let folder: String

  /// Why nothing was drawn.
  enum Failure: Error, CustomStringConvertible {
    case notFound(looked: [String])
    case failed(python: String, reason: String)

    var description: String {
      switch self {
      case .notFound(let looked):
        "Plots were left out: no Python has the package vl-convert-python (looked at "
          + "\(looked.map(\.printable).joined(separator: ", "))); scripts/plots installs it, or "
          + "name a Python in APUS_PYTHON."
      case .failed(let python, let reason):
        "Plots were left out: \(python.printable) failed: \(reason.printable)"
      }
    }
  }

  /// Draws each file that is named, beside it; exit code 3 without the package.
  private static let program = """
    import json, os, sys
    try:
        import vl_convert
    except ImportError:
        sys.exit(3)
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            chart = json.load(file)
        known = {"vl_version": "5.21", "allowed_base_urls": []}
        drawings = {
            ".svg": vl_convert.vegalite_to_svg(chart, **known).encode(),
            ".png": vl_convert.vegalite_to_png(chart, scale=2, **known),
        }
        for suffix, drawing in drawings.items():
            path = name.removesuffix(".vl.json") + suffix
            with open(path + ".tmp", "wb") as file:
                file.write(drawing)
            os.replace(path + ".tmp", path)
    """

  static func temporaryFolder() -> String {
    NSTemporaryDirectory() + "apus-plots-\(UInt64.random(in: .min ... .max))"
  }

  /// The way to a folder from the folder of a file.
  static func path(of folder: String, from file: String) -> String {
    guard file != "-" else { return folder }
    let start = URL(fileURLWithPath: file).standardizedFileURL.pathComponents.dropLast()
    let end = URL(fileURLWithPath: folder).standardizedFileURL.pathComponents
    let common = zip(start, end).prefix { $0 == $1 }.count
    let up = Array(repeating: "..", count: start.count - common)
    return (up + end.dropFirst(common)).joined(separator: "/")
  }

  private func file(_ plot: ReportPlot, _ suffix: String) -> String {
    "\(folder)/\(plot.name).\(suffix)"
  }

  func writeSpecifications(_ plots: [ReportPlot]) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw InputError(
        "\(folder.printable): must be a folder that can be made; name another with --plots")
    }
    for plot in plots {
      try AtomicFile.write(plot.spec.text(indented: true) + "\n", to: file(plot, "vl.json"))
    }
  }

  /// Draws every plot as SVG and PNG.
  ///
  /// - Returns: the SVG texts, by the plots' names.
  func draw(_ plots: [ReportPlot]) throws -> [String: String] {
    let pythons = Self.pythons(ProcessInfo.processInfo.environment)
    for python in pythons {
      switch try run(python, plots.map { file($0, "vl.json") }) {
      case nil: continue
      case "":
        var drawn: [String: String] = [:]
        for plot in plots {
          drawn[plot.name] = try? String(contentsOfFile: file(plot, "svg"), encoding: .utf8)
        }
        return drawn
      case let reason?: throw Failure.failed(python: python, reason: reason)
      }
    }
    throw Failure.notFound(looked: pythons.isEmpty ? ["the PATH"] : pythons)
  }

  /// What went wrong, empty where nothing did; nil without the package.
  private func run(_ python: String, _ files: [String]) throws -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", Self.program] + files
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    do {
      try process.run()
    } catch {
      return nil
    }
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    switch (process.terminationReason, process.terminationStatus) {
    case (.exit, 0): return ""
    case (.exit, 3): return nil
    default:
      return text.split(whereSeparator: \.isNewline).last.map(String.init)
        ?? "status \(process.terminationStatus)"
    }
  }

  /// Where Python may be: as the user says, in the environments of the scripts, on the PATH.
  static func pythons(_ environment: [String: String]) -> [String] {
    if let named = environment["APUS_PYTHON"], !named.isEmpty { return [named] }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let checkout = program.range(of: "/.build/").map { String(program[..<$0.lowerBound]) }
    let roots = [FileManager.default.currentDirectoryPath, checkout].compactMap(\.self)
    let environments = roots.flatMap { ["\($0)/.venv-plots", "\($0)/.venv-peers"] }
    let active = environment["VIRTUAL_ENV"].map { [$0] } ?? []
    let path = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/python3" }
    let places = (active + environments).map { $0 + "/bin/python3" } + path
    var seen: Set<String> = []
    return places.filter { access($0, X_OK) == 0 && seen.insert($0).inserted }
  }
}
