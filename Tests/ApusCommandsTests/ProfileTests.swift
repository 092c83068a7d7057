import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  @Suite struct ProfileTests {
    private static let quick = ["--min-time", "0.05s", "--image-size", "64", "--threads", "1"]

    /// Runs `apus profile` on a small network and returns its JSON.
    private func profile(_ arguments: [String]) async throws -> [String: Any] {
      let run = try await Tool.run(
        ["profile", "-m", "resnet18", "--format", "json"] + Self.quick + arguments, in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 0, "\(run.errors)")
      let report = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
      return try #require(report as? [String: Any])
    }

    private func sum(_ rows: [[String: Any]], _ key: String) -> Double {
      rows.reduce(0) { $0 + ($1[key] as? Double ?? .nan) }
    }

    @Test("JSON has every step with its kernel, and sums that agree with it", arguments: [1, 2])
    func json(batch: Int) async throws {
      let report = try await profile(["-b", "\(batch)", "--sort", "order"])
      let steps = try #require(report["steps"] as? [[String: Any]])
      #expect(steps.compactMap { $0["index"] as? Int } == Array(1...steps.count))
      let convolutions = steps.filter { $0["kind"] as? String == "convolution" }
      #expect(convolutions.count == 20)
      // Timing chooses how many images run at a time.
      let microBatches = batch / (try #require(report["micro_batch"] as? Int))
      for step in steps { try check(step, microBatches) }
      // Of each image of 64 × 64: the stem, 16 convolutions of the stages, 3 projections, the head.
      let macs = steps.reduce(0) { $0 + ($1["macs"] as? Int ?? 0) }
      #expect(macs == batch * 148_557_824)
      let whole = try #require(report["median_ms"] as? Double)
      let overhead = try #require(report["overhead_ms"] as? Double)
      #expect(overhead > 0 && overhead < whole)
      // Medians of parts need not add up to the median of the whole, but nearly so.
      #expect(sum(steps, "median_ms") < 1.2 * whole)
      let kinds = try #require(report["kinds"] as? [[String: Any]])
      #expect(abs(sum(kinds, "median_ms") / sum(steps, "median_ms") - 1) < 1e-9)
      #expect(kinds.reduce(0) { $0 + ($1["steps"] as? Int ?? 0) } == steps.count)
    }

    private func check(_ step: [String: Any], _ microBatches: Int) throws {
      let (time, least) = (step["median_ms"] as? Double ?? 0, step["bound_ms"] as? Double ?? 0)
      let gap = try #require(step["gap_ms"] as? Double)
      #expect(time > 0 && step["min_ms"] as? Double ?? .infinity <= time && least > 0)
      #expect(abs(gap - max(0, time - least)) < 1e-9)
      #expect(!(step["implementation"] as? String ?? "").isEmpty)
      let tensors = ["operands", "results"].flatMap { step[$0] as? [[String: Any]] ?? [] }
      let bytes = tensors.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
      #expect(microBatches * bytes == step["bytes"] as? Int && bytes > 0)
      #expect(tensors.allSatisfy { !($0["layout"] as? String ?? "").isEmpty })
      let macs = try #require(step["macs"] as? Int)
      if macs > 0 {
        let rate = try #require(step["gflops_per_sec"] as? Double)
        #expect(abs(rate / (Double(2 * macs) / time * 1e-6) - 1) < 1e-9)
      }
    }

    @Test("steps come in the wanted order, no more than wanted")
    func order() async throws {
      for (order, key) in [("gap", "gap_ms"), ("time", "median_ms")] {
        let report = try await profile(["--sort", order, "--top", "5", "--execution", "eager"])
        let steps = try #require(report["steps"] as? [[String: Any]])
        let values = steps.compactMap { $0[key] as? Double }
        #expect(values.count == 5 && values == values.sorted(by: >))
      }
    }

    @Test("the trace has each step inside its run")
    func trace() async throws {
      let folder = try TemporaryFolder()
      let path = folder.path + "/trace.json"
      let report = try await profile(["--trace", path, "--sort", "order"])
      let steps = try #require(report["steps"] as? [[String: Any]])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["trace.json"])
      let data = try #require(FileManager.default.contents(atPath: path))
      let trace = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let events = try #require(trace["traceEvents"] as? [[String: Any]])
      let bars = events.filter { $0["ph"] as? String == "X" }
      #expect(bars.count == 3 * (1 + steps.count))
      for first in stride(from: 0, to: bars.count, by: 1 + steps.count) {
        let (run, parts) = (bars[first], Array(bars[(first + 1)...].prefix(steps.count)))
        #expect(run["cat"] as? String == "run")
        #expect(
          parts.compactMap { $0["name"] as? String } == steps.compactMap { $0["op"] as? String })
        let whole = try #require(run["dur"] as? Double)
        #expect(sum(parts, "dur") <= whole && sum(parts, "dur") > 0)
        var time = try #require(run["ts"] as? Double)
        let end = time + whole
        for part in parts {
          let start = try #require(part["ts"] as? Double)
          #expect(start >= time - 1e-3)
          time = start + (part["dur"] as? Double ?? .nan)
        }
        #expect(time <= end + 1e-3)
      }
    }

    @Test("the table names kernels and sums up")
    func table() async throws {
      let run = try await Tool.run(
        ["profile", "-m", "resnet18", "--top", "3"] + Self.quick, in: "/")
      #expect(run.exitCode == 0 && run.output.hasPrefix("resnet18, batch 1, compiled, 64 × 64"))
      #expect(run.output.contains("\npeaks: ") && run.output.contains(" GFLOP/s; memory "))
      #expect(run.output.contains(#/\nconvolution +20 +[0-9.]+ /#), "\(run.output)")
      #expect(run.output.contains(#/\nbetween steps +[0-9.]+ /#), "\(run.output)")
    }

    @Test("a batch in micro-batches is told, and its work is that of all images")
    func microBatches() async throws {
      let arguments = ["-b", "4", "--micro-batch", "2"]
      let report = try await profile(arguments + ["--sort", "order"])
      let steps = try #require(report["steps"] as? [[String: Any]])
      #expect(report["micro_batch"] as? Int == 2 && report["batch_size"] as? Int == 4)
      #expect(steps.reduce(0) { $0 + ($1["macs"] as? Int ?? 0) } == 4 * 148_557_824)
      for step in steps {
        let tensors = ["operands", "results"].flatMap { step[$0] as? [[String: Any]] ?? [] }
        let bytes = tensors.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
        #expect(2 * bytes == step["bytes"] as? Int)
      }
      #expect(sum(steps, "median_ms") < 1.2 * (report["median_ms"] as? Double ?? 0))
      let table = try await Tool.run(
        ["profile", "-m", "resnet18", "--top", "3"] + Self.quick + arguments, in: "/")
      #expect(
        table.output.hasPrefix("resnet18, batch 4 in 2 micro-batches of 2, compiled, 64 × 64"))
    }

    @Test("what cannot be profiled is refused before anything is measured")
    func refused() async throws {
      let rows: [(arguments: String, exitCode: Int32, message: String)] = [
        ("", 64, "Missing expected argument '--model <model>'"),
        (
          "-m resnet5", 64,
          "The value 'resnet5' is invalid for '-m <model>': must be one of the names that "
            + "`apus models` lists, got \"resnet5\"; did you mean resnet50?"
        ),
        ("-m resnet18 --top 0", 64, "got \"0\""),
        ("-m resnet18 --sort size", 64, "The value 'size' is invalid for '--sort <sort>'"),
        (
          "-m resnet18 --trace /absent/t.json", 1,
          "/absent/t.json: cannot create the file: No such file or directory"
        ),
        ("-m inception_v3 --image-size 8", 1, "maxPool: the padded image must be"),
        ("-m resnet18 -b 20000000", 1, "out of memory: "),
        ("-m resnet18 --micro-batch 0", 64, "got \"0\""),
        (
          "-m resnet18 -b 4 --micro-batch 3 --image-size 64", 1,
          "micro-batch 3: must divide the number of images that run together, got 4"
        ),
      ]
      for row in rows {
        let arguments = row.arguments.split(separator: " ").map(String.init)
        let run = try await Tool.run(["profile"] + arguments, in: "/")
        expectNoCrash(run)
        #expect(run.exitCode == row.exitCode, "\(row.arguments)")
        #expect(
          run.errors.hasPrefix("Error: ") && run.errors.contains(row.message), "\(run.errors)")
        #expect(run.output.isEmpty)
      }
    }
  }
}
