import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  @Suite struct CompareTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func row(_ model: String, _ milliseconds: Double, status: String = "ok") -> String {
      let latency =
        status == "ok"
        ? #""latency_ms":{"median":\#(milliseconds),"mean":\#(milliseconds),"min":1,"max":900},"#
        : #""reason":"9 GiB planned","#
      return #"{"schema":1,"status":"\#(status)","model":"\#(model)","mode":"infer","#
        + #""batch_size":1,\#(latency)"warnings":[]}"# + "\n"
    }

    /// Writes a run whose resnet18 took these times in its repetitions.
    private func write(_ name: String, _ times: [Double], _ more: String = "") throws {
      let path = folder.path + "/" + name
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let rows = times.map { row("resnet18", $0) }.joined() + more
      try Data(rows.utf8).write(to: URL(fileURLWithPath: path + "/results.jsonl"))
    }

    private func compare(_ arguments: String...) async throws -> Tool.Run {
      let run = try await Tool.run(["compare"] + arguments, in: folder.path)
      expectNoCrash(run)
      return run
    }

    @Test("a regression is said in the table, and in the exit code only where that is asked for")
    func regression() async throws {
      try write("A", [100, 101, 100.5])
      try write("B", [120, 121, 120.5])
      let table = try await compare("A", "B")
      #expect(table.exitCode == 0 && table.errors.isEmpty)
      #expect(table.output.hasPrefix("latency: B (B) against A (A)\n"))
      #expect(table.output.contains(#/\nresnet18 .* 1\.199  .* 3 \+ 3 +regression\n/#))
      #expect(try await compare("A", "B", "--fail-on", "regression").exitCode == 2)
      #expect(try await compare("B", "A", "--fail-on", "regression").exitCode == 0)
      #expect(
        try await compare("A", "B", "--fail-on", "regression", "--threshold", "25%").exitCode == 0)
      let files = try await compare("A/results.jsonl", "B/results.jsonl", "--format", "markdown")
      #expect(
        files.output.hasPrefix("### latency: B/results.jsonl (B) against A/results.jsonl (A)"))
      #expect(files.output.contains("**1 regression, no improvement in 1 cell; geometric mean 1.1"))
    }

    @Test("programs read the same as one object")
    func json() async throws {
      try write("A", [100, 101, 100.5])
      try write("B", [50, 51, 50.5], row("vgg16", 3))
      let run = try await compare("A", "B", "--format", "json")
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
      #expect(report["regression"] as? Bool == false)
      let cells = try #require(report["cells"] as? [[String: Any]])
      #expect(cells.count == 1 && cells[0]["verdict"] as? String == "improvement")
      let interval = try #require(cells[0]["interval"] as? [Double])
      #expect(interval[0] < 0.502 && interval[1] > 0.502 && interval[1] < 0.6)
      #expect((report["missing_in_a"] as? [[String: Any]])?.first?["model"] as? String == "vgg16")
    }

    @Test("a cell that failed in B is exit code 3, and is listed")
    func failed() async throws {
      try write("A", [100, 101], row("vgg16", 300))
      try write("B", [100, 101], row("vgg16", 0, status: "oom"))
      let run = try await compare("A", "B", "--fail-on", "regression")
      #expect(run.exitCode == 3)
      #expect(
        run.output.contains("missing in B: vgg16, infer, batch 1: oom: 9 GiB planned\n"))
    }

    @Test("a cut last line is dropped, anything else that is no row is an error")
    func files() async throws {
      try write("A", [100, 101], String(row("resnet18", 100).prefix(40)))
      try write("B", [100, 101])
      #expect(try await compare("A", "B").exitCode == 0)
      try write("B", [100, 101], "\u{1B}[2Jgarbage\n")
      let broken = try await compare("A", "B")
      #expect(broken.exitCode == 1 && broken.output.isEmpty)
      #expect(
        broken.errors.hasPrefix(
          "Error: B/results.jsonl:3: must be one JSON object, got  [2Jgarbage"))
      let missing = try await compare("A", "C")
      #expect(missing.exitCode == 1)
      #expect(missing.errors.contains("C: must be a folder with the results.jsonl"))
      try write("C", [], row("vgg16", 5))
      let nothing = try await compare("A", "C")
      #expect(nothing.exitCode == 1 && nothing.output.isEmpty)
      #expect(
        nothing.errors.contains(
          "C: must have measured a cell's latency that A has measured too; it lacks resnet18"))
    }

    @Test(
      "what the command line alone shows to be wrong is a usage error",
      arguments: [
        (["A"], "<b>"), (["A", "B", "--threshold", "5"], "must be a percentage"),
        (["A", "B", "--threshold", "-5%"], "must be a percentage"),
        (["A", "B", "--metric", "speed"], "must be one of latency, throughput, memory"),
        (["A", "B", "--fail-on", "anything"], "--fail-on"),
      ])
    func usage(_ arguments: [String], _ words: String) async throws {
      let run = try await Tool.run(["compare"] + arguments, in: folder.path)
      #expect(run.exitCode == 64 && run.errors.contains(words), "\(run.errors)")
    }
  }
}
