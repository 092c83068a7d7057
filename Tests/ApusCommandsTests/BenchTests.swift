import Foundation
import Testing

/// What the tests know of `apus bench`.
enum Bench {
  /// Settings that measure next to nothing.
  static let quick = [
    "--min-time", "0.02s", "--max-time", "0.2s", "--min-iterations", "2", "--image-size", "64",
    "--threads", "1",
  ]

  /// The rows of `--format json`.
  static func rows(json: String) throws -> [[String: Any]] {
    try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
  }

  /// The rows of `--format jsonl`.
  static func rows(_ lines: String) throws -> [[String: Any]] {
    try lines.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// The keys a row may have.
  static let keys = Set(
    """
    schema status reason model head norm activation checkpoint order stem mode execution device \
    precision batch_size micro_batch exact tuning image_size threads cores repeat n warmup_n \
    stop_reason latency_ms runs step_ms forward_ms backward_ms \
    samples_per_sec loss load_ms compile_ms first_ms parameters macs flops gflops_per_sec \
    gbytes_per_sec pct_peak_flops pct_peak_bandwidth peak_rss_bytes planned_bytes \
    device_peak_bytes memory_method max_abs_diff max_rel_diff top1_agreement samples warnings \
    host cpu commit date
    """.split(separator: " ").map(String.init))

  /// The keys of every row of a cell that was measured.
  static let measuredKeys = Set(
    """
    schema status model mode execution device precision batch_size image_size threads repeat n \
    warmup_n stop_reason latency_ms samples_per_sec load_ms compile_ms first_ms parameters macs \
    flops gflops_per_sec planned_bytes memory_method warnings cpu date
    """.split(separator: " ").map(String.init))
}

extension CommandTests {
  @Suite struct BenchTests {
    private let sweep = ["bench", "-m", "resnet18", "-b", "1,2", "--execution", "eager,compiled"]

    @Test("a sweep gives a row for each cell, in order", arguments: ["json", "jsonl"])
    func rows(format: String) async throws {
      let run = try await Tool.run(sweep + Bench.quick + ["--format", format], in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 0)
      let rows = try format == "json" ? Bench.rows(json: run.output) : Bench.rows(run.output)
      let cells = rows.map { row in
        "\(row["batch_size"] as? Int ?? 0) \(row["execution"] as? String ?? "")"
      }
      #expect(cells == ["1 eager", "1 compiled", "2 eager", "2 compiled"])
      for row in rows { try check(row) }
    }

    @Test("fresh weights let the check against eager count")
    func freshWeights() async throws {
      let models = ["efficientnet_b0", "tf_efficientnet_b0", "mobilenet_v2", "mobilenet_v3_large"]
      let run = try await Tool.run(
        ["bench", "-m", models.joined(separator: ","), "--format", "jsonl"] + Bench.quick, in: "/")
      #expect(run.exitCode == 0)
      let rows = try Bench.rows(run.output)
      #expect(rows.compactMap { $0["model"] as? String } == models)
      for row in rows {
        let difference = try #require(row["max_rel_diff"] as? Double)
        #expect(difference > 0 && difference < 1e-4, "\(row["model"] ?? "")")
      }
    }

    private func check(_ row: [String: Any]) throws {
      #expect(Bench.measuredKeys.subtracting(row.keys).isEmpty)
      #expect(Set(row.keys).subtracting(Bench.keys).isEmpty)
      #expect(row["status"] as? String == "ok")
      #expect(row["image_size"] as? Int == 64 && row["threads"] as? Int == 1)
      #expect(row["parameters"] as? Int == 11_689_512)
      let (macs, flops) = (row["macs"] as? Int ?? 0, row["flops"] as? Int ?? 0)
      #expect(macs > 100_000_000 && flops == 2 * macs)
      let latency = try #require(row["latency_ms"] as? [String: Double])
      let (median, batch) = (latency["median"] ?? 0, row["batch_size"] as? Int ?? 0)
      #expect(median > 0 && latency["min"] ?? .infinity <= median && median <= latency["max"] ?? 0)
      #expect(row["n"] as? Int ?? 0 >= 2)
      let rate = try #require(row["gflops_per_sec"] as? Double)
      #expect(abs(rate / (Double(flops * batch) / median * 1e-6) - 1) < 1e-9)
      if row["execution"] as? String == "compiled" {
        #expect(try #require(row["max_rel_diff"] as? Double) < 1e-4)
        #expect(row["top1_agreement"] as? Double == 1)
      } else {
        #expect(row["max_rel_diff"] == nil)
      }
    }

    @Test("rows say how many images ran at a time, or that such a size does not divide the batch")
    func microBatches() async throws {
      let arguments = ["bench", "-m", "resnet18", "-b", "4,6", "--execution", "eager,compiled"]
      let run = try await Tool.run(
        arguments + Bench.quick + ["--micro-batch", "2", "--format", "json"], in: "/")
      let rows = try Bench.rows(json: run.output)
      #expect(run.exitCode == 0)
      #expect(rows.map { $0["micro_batch"] as? Int } == [nil, 2, nil, 2])
      for row in rows { try check(row) }
      let wrong = try await Tool.run(
        ["bench", "-m", "resnet18", "-b", "2,4", "--micro-batch", "4", "--format", "jsonl"]
          + Bench.quick, in: "/")
      let statuses = try Bench.rows(wrong.output).map { $0["status"] as? String }
      #expect(wrong.exitCode == 3 && statuses == ["failed", "ok"])
    }

    @Test("the table has a line for each cell")
    func table() async throws {
      let run = try await Tool.run(sweep + Bench.quick, in: "/")
      #expect(run.exitCode == 0)
      for batch in [1, 2] {
        for execution in ["eager", "compiled"] {
          let cell = try Regex("(?m)^resnet18 +\(batch) +\(execution) +1 +[0-9.]+ ")
          #expect(run.output.matches(of: cell).count == 1, "\(run.output)")
        }
      }
    }

    @Test("weights are read from a file")
    func weights() async throws {
      let arguments = ["bench", "-m", "resnet18", "--weights", "resnet18.safetensors"]
      let run = try await Tool.run(
        arguments + Bench.quick + ["--format", "jsonl"], in: Workspace.folder)
      #expect(run.exitCode == 0)
      #expect(try Bench.rows(run.output).first?["status"] as? String == "ok")
    }

    @Test(
      "a cell that does not fit into memory is a row, and the others are measured",
      arguments: ["eager", "compiled"])
    func outOfMemory(execution: String) async throws {
      // Images of 12 TB, more than any machine has.
      let run = try await Tool.run(
        ["bench", "-m", "resnet18", "-b", "20000000,1", "--execution", execution]
          + ["--format", "jsonl", "--threads", "1", "--min-time", "0.02s", "--max-time", "0.2s"],
        in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 3)
      let rows = try Bench.rows(run.output)
      #expect(rows.map { $0["status"] as? String } == ["oom", "ok"])
      let reason = rows.first?["reason"] as? String ?? ""
      #expect(reason.hasPrefix("out of memory: ") && reason.hasSuffix("smaller batch or image"))
    }

    @Test("a cell that no machine could hold is a failed row, not the end of the sweep")
    func impossible() async throws {
      let run = try await Tool.run(
        ["bench", "-m", "resnet18", "-b", "1,1000000000"] + Bench.quick, in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 3)
      #expect(run.output.contains(#/\nresnet18 +1 +compiled +1 +[0-9.]+ /#), "\(run.output)")
      #expect(
        run.output.contains(
          "batch 1000000000, compiled: failed: conv1: convolution: a tensor must have at most 64 TiB"
        ))
    }
  }
}
