import ApusBench
import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  /// Sweeps of a tiny network, with everything that ends them early.
  @Suite struct SweepTests {
    private static let tiny = [
      "bench", "-m", "lenet", "--threads", "1", "--tuning", "off", "--min-time", "0s",
      "--max-time", "0.05s", "--min-iterations", "1",
    ]

    private let folder: TemporaryFolder
    private var results: String { folder.path + "/run/results.jsonl" }

    init() throws { folder = try TemporaryFolder() }

    private func run(
      _ arguments: [String], sending signal: Int32 = SIGINT, when: (() -> Bool)? = nil
    ) async throws -> Tool.Run {
      try await Tool.run(
        Self.tiny + arguments, in: folder.path, sending: signal,
        interruptWhen: when.map { condition in { _, _ in condition() } })
    }

    /// The lines of the results so far.
    private func lines() -> [String] {
      let text = try? String(contentsOfFile: results, encoding: .utf8)
      return (text ?? "").split(separator: "\n").map(String.init)
    }

    private func rows() throws -> [BenchRow] {
      try lines().map { try JSONDecoder().decode(BenchRow.self, from: Data($0.utf8)) }
    }

    /// The processes of cells of this folder's run.
    private func children() -> [pid_t] {
      let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return processes.compactMap { pid_t($0) }.filter { process in
        let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        let link = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/\(process)/cwd")
        return String(decoding: words, as: UTF8.self).contains("--cell") && link == folder.path
      }
    }

    /// Expects that no cell goes on without the sweep.
    private func expectNoOrphans() async throws {
      for _ in 0..<400 {
        if children().isEmpty { return }
        try await Task.sleep(for: .milliseconds(5))
      }
      Issue.record("processes \(children()) still run")
    }

    @Test("a run's folder has the plan, the machine, the rows and the samples")
    func runFolder() async throws {
      let run = try await run(
        ["-b", "1,2", "--execution", "eager,compiled", "--repeat", "2", "-o", "run"])
      expectNoCrash(run)
      #expect(run.exitCode == 0, "\(run.errors)")
      let plan = try #require(try RunWriter.plan(in: folder.path + "/run"))
      #expect(plan.repetitions == 2 && plan.cells.count == 4)
      let rows = try rows()
      #expect(rows.map(SweepCell.init(of:)) == plan.cells + plan.cells)
      #expect(rows.map(\.repeat) == [1, 1, 1, 1, 2, 2, 2, 2])
      for row in rows {
        #expect(row.status == .ok && row.threads == 1 && row.cores?.count == 1)
        let samples = try Data(
          contentsOf: URL(fileURLWithPath: folder.path + "/run/" + #require(row.samples)))
        #expect(try JSONDecoder().decode([Double].self, from: samples).count == row.n)
        let peaks = try #require(row.peakRssBytes)
        for peak in [peaks.load, peaks.compile, peaks.first, peaks.steady] {
          #expect(try #require(peak) >= #require(peaks.baseline))
        }
        #expect(row.plannedBytes?.total ?? 0 > 0)
      }
      let environment = try Data(
        contentsOf: URL(fileURLWithPath: folder.path + "/run/env.json"))
      let machine = try JSONDecoder().decode(RunEnvironment.self, from: environment).machine
      #expect(machine.host == rows[0].host && machine.cpu == rows[0].cpu)
    }

    @Test(
      "a sweep that is killed or interrupted is resumed where it was", arguments: [SIGKILL, SIGINT])
    func resume(signal: Int32) async throws {
      let sweep = ["-b", "1,2,3,4,5,6", "-o", "run"]
      let stopped = try await run(sweep, sending: signal) { lines().count >= 2 }
      #expect(signal == SIGINT ? stopped.exitCode == 130 : stopped.signal == SIGKILL)
      try await expectNoOrphans()
      let before = lines()
      try #require((2...5).contains(before.count))
      let refused = try await run(sweep)
      #expect(refused.exitCode == 1)
      #expect(
        refused.errors.hasPrefix("Error: run: must be a new folder, got one with a run in it"))

      let resumed = try await run(sweep + ["--resume"])
      expectNoCrash(resumed)
      #expect(resumed.exitCode == 0, "\(resumed.errors)")
      #expect(Array(lines().prefix(before.count)) == before)
      #expect(try rows().map(\.batchSize) == [1, 2, 3, 4, 5, 6])
      #expect(resumed.errors.contains("1/\(6 - before.count) lenet"))
      #expect(resumed.output.matches(of: #/(?m)^lenet +[1-6] +compiled /#).count == 6)
    }

    @Test("what a power cut left of the last line is dropped, and that cell alone measured again")
    func truncated() async throws {
      let sweep = ["-b", "1,2,3", "-o", "run"]
      #expect(try await run(sweep).exitCode == 0)
      let before = lines()
      let text = before.joined(separator: "\n")
      try String(text.dropLast(Int.random(in: 1..<(before.last ?? "").count)))
        .write(toFile: results, atomically: false, encoding: .utf8)
      let resumed = try await run(sweep + ["--resume"])
      #expect(resumed.exitCode == 0)
      #expect(
        resumed.errors.contains("warning: run: the last line was incomplete and is dropped\n"))
      #expect(Array(lines().prefix(2)) == Array(before.prefix(2)))
      #expect(try rows().map(\.batchSize) == [1, 2, 3])
    }

    @Test("a run of another matrix is not gone on with")
    func otherMatrix() async throws {
      #expect(try await run(["-o", "run"]).exitCode == 0)
      let cells = try await run(["-b", "1,2", "-o", "run", "--resume"])
      #expect(cells.exitCode == 1)
      #expect(
        cells.errors.hasPrefix(
          "Error: run: --resume must have the options that the run was begun with, got a run of "
            + "1 cells, not 2; "))
      let settings = try await run(["--exact", "-o", "run", "--resume"])
      #expect(settings.errors.contains("got a run of --exact false, not true; "))
      #expect(try rows().count == 1)
    }

    @Test("a limit of memory turns a batch that is too large into a row, and the sweep goes on")
    func memoryLimit() async throws {
      let run = try await Tool.run(
        [
          "bench", "-m", "resnet18", "-b", "512,1", "--mode", "train", "--image-size", "64",
          "--memory-limit", "500MiB", "--format", "jsonl",
        ] + Self.tiny[3...], in: folder.path)
      expectNoCrash(run)
      #expect(run.exitCode == 3)
      let rows = try Bench.rows(run.output)
      #expect(rows.map { $0["status"] as? String } == ["oom", "ok"])
      let reason = rows[0]["reason"] as? String ?? ""
      #expect(
        reason.hasPrefix(
          "out of memory: must be planned to take at most --memory-limit 500 MiB, got "))
      let planned = rows.map { ($0["planned_bytes"] as? [String: Int])?["total"] ?? 0 }
      #expect(planned[0] > 500 << 20 && planned[1] <= 500 << 20)
    }

    @Test("the largest batch is the one that apus plan finds")
    func largestBatch() async throws {
      let limit = ["-b", "max", "--memory-limit", "8MiB", "--format", "json"]
      let run = try await run(limit)
      #expect(run.exitCode == 0, "\(run.errors)\(run.output)")
      let batch = try Bench.rows(json: run.output).first?["batch_size"] as? Int
      let plan = try await Tool.run(
        ["plan", "-m", "lenet", "--tuning", "off", "--threads", "1"] + limit, in: "/")
      #expect(try Bench.rows(json: plan.output).first?["batch_size"] as? Int == batch)
      #expect(try #require(batch) > 1)
    }

    @Test("a cell that takes too long is a row, and the sweep goes on")
    func timeOut() async throws {
      let run = try await run(
        ["-b", "1,2", "--timeout", "1s", "--min-time", "30s", "--max-time", "40s", "-o", "run"])
      expectNoCrash(run)
      #expect(run.exitCode == 3)
      #expect(try rows().map(\.status) == [.timeout, .timeout])
      #expect(try rows()[0].reason == "took longer than 1.0 s; raise --timeout")
      try await expectNoOrphans()
    }

    @Test("a cell whose process is killed or crashes is a row", arguments: [SIGKILL, SIGSEGV])
    func crash(signal: Int32) async throws {
      var isSent = false
      let run = try await run(
        ["-b", "1,2", "--min-time", "2s", "--max-time", "3s", "-o", "run"]
      ) {
        if !isSent, let child = children().first { isSent = kill(child, signal) == 0 }
        return false
      }
      #expect(isSent && run.exitCode == 3)
      let rows = try rows()
      #expect(rows.map(\.batchSize) == [1, 2] && rows.map(\.status) == [.failed, .ok])
      #expect(rows[0].reason?.hasPrefix("the process was ended by signal \(signal) (") == true)
    }

    @Test("weights that do not fit into memory are a row")
    func freshWeights() async throws {
      let run = try await Tool.run(
        ["bench", "-m", "vgg16,lenet", "--classes", "1000000000", "--format", "jsonl"]
          + Self.tiny[3...], in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 3)
      let rows = try Bench.rows(run.output)
      #expect(rows.map { $0["status"] as? String } == ["oom", "oom"])
      #expect(
        rows[0]["reason"] as? String
          == "vgg16: out of memory: fresh weights must fit into it, got 16388537042176 bytes; "
          + "use fewer classes")
    }

    @Test("a dry run names every cell, patterns too, and measures nothing")
    func dryRun() async throws {
      let run = try await Tool.run(
        [
          "bench", "-m", "resnet1?,resnet3?,lenet,resnet18", "-b", "1,8", "--head", "full,cut",
          "--mode",
          "infer,train", "--repeat", "3", "--dry-run", "-o", "run",
        ], in: folder.path)
      expectNoCrash(run)
      #expect(run.exitCode == 0 && run.errors.isEmpty)
      for model in ["resnet18", "resnet34", "lenet"] {
        #expect(run.output.matches(of: try Regex("(?m)^\(model) .* (1|8) +compiled")).count == 8)
      }
      #expect(run.output.contains(#/\n20 cells, 3 times each: about \d+ min \d\d s\n/#))
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }

    @Test("combinations that a network does not have are skipped with the reason")
    func skipped() async throws {
      let run = try await run(
        ["-m", "lenet,resnet18", "--norm", "bn,abn", "--format", "csv"])
      expectNoCrash(run)
      let lines = run.output.split(separator: "\r\n")
      let statuses = lines.dropFirst().map { String($0.split(separator: ",")[1]) }
      #expect(run.exitCode == 0 && statuses == ["ok", "skipped", "ok", "ok"], "\(run.output)")
      #expect(lines.contains { $0.contains("lenet: must be built without the option norm") })
    }

    @Test("a sweep is printed as Markdown, with what tells the cells apart")
    func markdown() async throws {
      let run = try await run(
        ["--activation", "relu,mish", "--format", "markdown", "--repeat", "2"])
      #expect(run.exitCode == 0)
      #expect(run.output.hasPrefix("| model | variant | batch | execution | threads | round |"))
      #expect(run.output.matches(of: #/(?m)^\| lenet \| +mish +\| .* [12] \| /#).count == 2)
    }
  }
}
