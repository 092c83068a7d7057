import ApusBench
import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  @Suite struct ReportTests {
    /// A Python that can draw.
    private static let python: String? = {
      let named = ProcessInfo.processInfo.environment["APUS_PYTHON"]
      let places = [".venv-plots", ".venv-peers"].map { environment in
        "\(Workspace.repository)/\(environment)/bin/python3"
      }
      return ([named].compactMap(\.self) + places).first { python in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", "import vl_convert"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
      }
    }()

    private static let missing: Comment =
      "no Python with vl-convert-python: looked for APUS_PYTHON and .venv-plots; see scripts/plots"

    private let folder: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      let rows = [(1, "compiled"), (1, "eager"), (4, "compiled"), (4, "eager")].map { batch, name in
        var row = BenchRow(status: .ok, model: "resnet18", mode: "infer")
        (row.batchSize, row.execution, row.threads) = (batch, name, 2)
        let time = Double(batch) * (name == "eager" ? 20.5 : 8.25) + .random(in: 0...0.1)
        row.latencyMs = Statistics([time, time * 1.01]).map(BenchRow.Latency.init)
        row.samplesPerSec = Double(batch) / time * 1000
        return row
      }
      try FileManager.default.createDirectory(
        atPath: folder.path + "/run", withIntermediateDirectories: false)
      try write(rows.map { try JSONValue(encoding: $0).text() + "\n" }.joined(), "results.jsonl")
    }

    private func write(_ text: String, _ name: String) throws {
      try text.write(toFile: folder.path + "/run/" + name, atomically: false, encoding: .utf8)
    }

    private func text(_ name: String) throws -> String {
      try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)
    }

    private func run(_ arguments: [String], python: String? = nil) async throws -> Tool.Run {
      try await Tool.run(
        ["report"] + arguments, in: folder.path,
        limit: "export APUS_PYTHON=\(python ?? "/nowhere/python")")
    }

    @Test("a run gets its report beside it; without Python there are no drawings")
    func withoutPython() async throws {
      let run = try await run(["run"])
      expectNoCrash(run)
      #expect(run.exitCode == 0 && run.output.isEmpty)
      #expect(
        run.errors
          == "Plots were left out: no Python has the package vl-convert-python (looked at "
          + "/nowhere/python); scripts/plots installs it, or name a Python in APUS_PYTHON.\n")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/run/plots")
      #expect(files.count == 3 && files.allSatisfy { $0.hasSuffix(".vl.json") })
      let (page, markdown) = (try text("run/report.html"), try text("run/report.md"))
      for part in ["Plots were left out", "eager ÷ compiled", "4 rows: 4 measured."] {
        #expect(page.contains(part) && markdown.contains(part), "\(part)")
      }
    }

    @Test("plots are drawn, linked and embedded", .enabled(if: python != nil, missing))
    func drawn() async throws {
      let run = try await run(["run"], python: Self.python)
      expectNoCrash(run)
      #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run.errors)")
      let name = "resnet18-infer-latency-over-batch"
      let svg = try text("run/plots/\(name).svg")
      #expect(svg.contains("compiled, batch 4, 2 threads: "))
      let png = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/run/plots/\(name).png"))
      #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]) && png.count > 2000)
      #expect(try text("run/report.md").contains("](plots/\(name).svg)"))
      #expect(try text("run/report.html").ranges(of: "<figure").count == 3)
    }

    @Test(
      "a page alone has the drawings too, from elsewhere the plots are found",
      .enabled(if: python != nil, missing))
    func elsewhere() async throws {
      let arguments = ["run/results.jsonl", "--html", "a.html", "--markdown", "run/b.md"]
      let run = try await run(arguments + ["--plots", "more/plots"], python: Self.python)
      #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run.errors)")
      #expect(try text("run/b.md").contains("](../more/plots/resnet18-infer-"))
      let alone = try await self.run(["run", "--html", "alone.html"], python: Self.python)
      #expect(alone.exitCode == 0)
      #expect(try text("alone.html") == text("a.html"))
    }

    @Test("standard output takes one of the texts")
    func standardOutput() async throws {
      let markdown = try await run(["run", "--markdown", "-"])
      #expect(markdown.exitCode == 0 && markdown.output.hasPrefix("# Benchmark: run\n"))
      #expect(markdown.errors.isEmpty)
      let csv = try await run(["run", "--csv", "-"])
      #expect(csv.output.hasPrefix("schema,status,model,") && csv.output.contains("\r\n"))
      let both = try await run(["run", "--csv", "-", "--html", "-"])
      #expect(both.exitCode == 64)
    }

    @Test("what is wrong is said in a line")
    func errors() async throws {
      try write("", "empty.jsonl")
      try write("hello\n", "bad.jsonl")
      let cases: [([String], Int32, String)] = [
        (["run/empty.jsonl", "--csv", "-"], 1, "must have a row, got none"),
        (["run/bad.jsonl", "--csv", "-"], 1, "must be one JSON object, got hello"),
        (["nothing"], 1, "nothing"),
        (["run/results.jsonl"], 1, "must be a folder to write the report into, got a file"),
        (["run", "--html", "no/such/folder.html"], 1, "no/such/folder.html"),
        ([], 64, "Missing expected argument"),
      ]
      for (arguments, code, part) in cases {
        let run = try await run(arguments)
        expectNoCrash(run)
        #expect(run.exitCode == code, "\(arguments)")
        #expect(run.errors.contains(part), "\(run.errors)")
      }
    }
  }
}
