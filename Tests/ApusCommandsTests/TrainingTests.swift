import ApusBench
import ApusModels
import ApusPJRT
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  @Suite struct TrainingTests {
    private static let hasPlugin = (try? PluginSearch(platform: "cpu").run()) != nil
    private static let missing: Comment =
      "no XLA plugin: looked for the package xla-cpu-pjrt in the Python on the PATH; see scripts/xla"

    private static func rows(_ arguments: [String]) async throws -> [BenchRow] {
      let run = try await Tool.run(
        ["bench", "--format", "jsonl"] + arguments, in: "/", within: 120)
      expectNoCrash(run)
      #expect(run.exitCode == 0, "\(run.errors)")
      return try run.output.split(separator: "\n").map { line in
        try JSONDecoder().decode(BenchRow.self, from: Data(line.utf8))
      }
    }

    @Test("training is measured in halves, with its loss and its memory", arguments: [true, false])
    func train(isWhole: Bool) async throws {
      let mode = isWhole ? "train" : "forward-backward"
      let rows = try await Self.rows(
        ["-m", "resnet18", "-b", "4", "--mode", mode, "--execution", "eager,compiled"]
          + Bench.quick)
      #expect(rows.map(\.execution) == ["eager", "compiled"])
      for row in rows {
        #expect(row.status == .ok && row.mode == mode)
        let (step, forward) = (try #require(row.stepMs), try #require(row.forwardMs))
        let backward = try #require(row.backwardMs)
        #expect(forward.mean > 0 && backward.mean > 0)
        #expect(abs(forward.mean + backward.mean - step.mean) < 1e-6 * step.mean)
        #expect(abs(step.mean - (row.latencyMs?.mean ?? 0)) < 1e-6 * step.mean)
        let loss = try #require(row.loss)
        // Labels are random: the loss of guessing among 1000 classes is 6.9. Training it away on the
        // same four images begins at once.
        #expect((4...14).contains(loss.first))
        #expect(isWhole ? loss.last < loss.first : loss.last == loss.first)
        let planned = try #require(row.plannedBytes)
        // Weights and statistics; momentum as large as the weights, and the count of steps.
        #expect(planned.parameters == 4 * (11_689_512 + 2 * 4800))
        #expect(planned.optimizerState == (isWhole ? 4 * 11_689_512 + 4 : 0))
        #expect((planned.results ?? 0) > (isWhole ? 0 : 4 * 11_689_512))
        #expect(try #require(row.peakRssBytes?.baseline) < #require(row.peakRssBytes?.steady))
      }
    }

    @Test("a step takes what was planned")
    func memory() async throws {
      let quick = ["--min-time", "0.1s", "--max-time", "2s", "--min-iterations", "2"]
      let row = try #require(
        try await Self.rows(
          ["-m", "resnet18", "-b", "32", "--mode", "train", "--image-size", "128"] + quick
            + ["--tuning", "off"]
        ).first)
      let (planned, taken) = (
        try #require(row.plannedBytes?.total), try #require(row.bytesBeyondBaseline)
      )
      // Code of the libraries and lists of steps come on top, some 30 MiB for any batch.
      let slack = 40 << 20
      #expect(
        abs(taken - planned) < planned * 3 / 100 + slack, "\(planned) planned, \(taken) taken")
    }

    @Test("runs of iterations follow a published protocol")
    func protocolOfRuns() async throws {
      let row = try #require(
        try await Self.rows([
          "-m", "lenet", "--mode", "train", "--runs", "4", "--iterations", "3", "--threads", "1",
          "--tuning", "off",
        ]).first)
      #expect(row.n == 12 && row.runs == 4 && row.warmupN == 2 && row.stopReason == .iterations)
      #expect(row.stepMs?.sd != nil)
    }

    @Test("the table shows both halves, and forward passes beside")
    func table() async throws {
      let run = try await Tool.run(
        [
          "bench", "-m", "lenet", "-b", "2", "--mode", "infer,train,forward-backward", "--tuning",
          "off", "--min-time", "0.02s", "--max-time", "0.2s", "--min-iterations", "2",
        ], in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 0)
      #expect(run.output.contains("forward (ms)") && run.output.contains("process (MiB)"))
      #expect(run.output.contains(#/\nlenet +infer +2 +compiled /#))
      #expect(run.output.contains(#/\nlenet +train +2 +compiled .* ± /#))
      #expect(run.output.contains(#/\nlenet +forward-backward +2 +compiled .* ± /#))
    }

    @Test(
      "on XLA, parameters and momentum are taken over", .enabled(if: hasPlugin, missing))
    func xla() async throws {
      let rows = try await Self.rows(
        ["-m", "squeezenet1_1", "-b", "2", "--mode", "train,forward-backward"]
          + ["--device", "cpu,xla:cpu"] + Bench.quick)
      #expect(rows.map(\.device) == ["cpu", "xla:cpu", "cpu", "xla:cpu"])
      for (host, device) in [(rows[0], rows[1]), (rows[2], rows[3])] {
        let (a, b) = (try #require(host.loss), try #require(device.loss))
        #expect(abs(a.first - b.first) < 1e-4 * a.first)
        #expect(try #require(device.forwardMs).mean > 0)
        #expect(try #require(device.backwardMs).mean > 0)
      }
      // Two numbers of four bytes for each parameter, and the count of steps.
      #expect(rows[1].plannedBytes?.aliased == 8 * (rows[1].parameters ?? 0) + 4)
      #expect(rows[3].plannedBytes?.aliased == 0)
    }

    @Test("a training that fails is a row with the reason")
    func failures() async throws {
      let run = try await Tool.run(
        ["bench", "-m", "resnet18", "-b", "4,30000000", "--mode", "train", "--format", "jsonl"]
          + Bench.quick, in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 3)
      let rows = try Bench.rows(run.output)
      #expect(rows.map { $0["status"] as? String } == ["ok", "oom"])
      let hint = try #require(rows[1]["reason"] as? String)
      #expect(
        hint.hasSuffix(
          "use a smaller batch or image, or train with --checkpoint stages or --norm inplace-abn"))
      let parts = try await Tool.run(
        ["bench", "-m", "lenet", "-b", "4", "--mode", "train", "--micro-batch", "2"]
          + ["--format", "jsonl", "--tuning", "off"], in: "/")
      let reason = try #require(try Bench.rows(parts.output).first?["reason"] as? String)
      #expect(parts.exitCode == 3)
      #expect(reason.contains("micro-batch 2: every result must depend on one image alone"))
    }
  }

  @Suite struct LossTests {
    /// A file with weights of `mlp`, multiplied by a factor for each of some paths.
    private func weights(_ factors: [String: Float], in folder: TemporaryFolder) throws -> String {
      let model = try #require(Catalogue.zoo["mlp"])
      var store = ParameterStore()
      for (input, _) in try model.graph(batch: 1).inputs {
        guard let path = input.path else { continue }
        let factor = factors[path] ?? 1
        let values = HashedWeights.tensor(path: path, shape: input.type.shape).floats
        store[path] = HostTensor(input.type.shape, values.map { $0 * factor })
      }
      let path = folder.path + "/weights.safetensors"
      try store.writeSafetensors(to: path)
      return path
    }

    private func reason(_ factors: [String: Float], _ execution: String) async throws -> String {
      let folder = try TemporaryFolder()
      let run = try await Tool.run(
        ["bench", "-m", "mlp", "-b", "3", "--mode", "train", "--execution", execution]
          + ["--weights", try weights(factors, in: folder), "--format", "jsonl", "--tuning", "off"]
          + ["--min-time", "0s", "--max-time", "1s", "--min-iterations", "5"], in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 3)
      let row = try #require(try Bench.rows(run.output).first)
      #expect(row["status"] as? String == "failed")
      return try #require(row["reason"] as? String)
    }

    @Test(
      "that is no number says where the first one appears", arguments: ["eager", "compiled"])
    func forward(execution: String) async throws {
      let reason = try await reason(["fc1.weight": 1e20, "fc2.weight": 1e25], execution)
      #expect(reason.hasPrefix("training: the loss must be finite, got "), "\(reason)")
      #expect(
        reason.hasSuffix(
          " after 1 step; the first NaN or infinity is in fc2: dot\n  hint: begin with smaller"
            + " weights (--weights), in fp16 try bf16 or fp32, or take a network with batch norms"),
        "\(reason)")
    }

    @Test("that later becomes none says after how many steps", arguments: ["eager", "compiled"])
    func later(execution: String) async throws {
      // The gradient of the last weights is as large as what they are multiplied with.
      let reason = try await reason(["fc2.weight": 1e30, "fc3.weight": 1e-30], execution)
      #expect(
        reason.contains("after 2 steps; the first NaN or infinity is in fc3: dot"), "\(reason)")
    }

    @Test("cannot come of weights that are none: their file is refused")
    func refused() async throws {
      let folder = try TemporaryFolder()
      let path = try weights(["fc2.bias": .nan], in: folder)
      let run = try await Tool.run(
        ["bench", "-m", "mlp", "--mode", "train", "--weights", path], in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == 1)
      #expect(run.errors.contains("weights must be finite, got nan in fc2.bias, element 0"))
    }
  }

  @Suite struct PlanTests {
    private struct Row: Decodable {
      let model, mode: String
      let batchSize: Int
      let plannedBytes: BenchRow.PlannedBytes
      let fits: Bool?

      enum CodingKeys: String, CodingKey {
        case model, mode, fits
        case batchSize = "batch_size"
        case plannedBytes = "planned_bytes"
      }
    }

    private func rows(_ arguments: [String], exitCode: Int32 = 0) async throws -> [Row] {
      let run = try await Tool.run(
        ["plan", "--format", "json", "--tuning", "off"] + arguments, in: "/")
      expectNoCrash(run)
      #expect(run.exitCode == exitCode, "\(run.errors)")
      return try JSONDecoder().decode([Row].self, from: Data(run.output.utf8))
    }

    @Test("memory of a step is known by parts, and is that of the run")
    func parts() async throws {
      let network = ["-m", "resnet18", "--image-size", "64", "--threads", "1"]
      let rows = try await rows(network + ["-b", "8,32", "--train"])
      #expect(rows.map(\.batchSize) == [8, 32] && rows.allSatisfy { $0.mode == "train" })
      for row in rows {
        let bytes = row.plannedBytes
        let parts = [bytes.gradients, bytes.activations, bytes.temporary, bytes.scratch]
          .compactMap { $0 }
        #expect(parts.count == 4 && parts.reduce(0, +) <= bytes.arena ?? 0)
        let whole = [
          bytes.parameters, bytes.prepared, bytes.optimizerState, bytes.arguments, bytes.results,
          bytes.arena,
        ].compactMap { $0 }
        #expect(whole.count == 6 && whole.reduce(0, +) == bytes.total)
      }
      // Activations grow with the batch, parameters do not; transformed filters matter less and less.
      #expect(rows[1].plannedBytes.parameters == rows[0].plannedBytes.parameters)
      let (few, many) = (rows[0].plannedBytes.activations ?? 0, rows[1].plannedBytes.activations)
      #expect((3.8...4.2).contains(Double(many ?? 0) / Double(few)))
      let run = try await Tool.run(
        ["bench", "-b", "8", "--mode", "train", "--format", "jsonl", "--tuning", "off"] + network
          + ["--min-time", "0s", "--max-time", "0.1s", "--min-iterations", "1"], in: "/")
      let measured = try JSONDecoder().decode(BenchRow.self, from: Data(run.output.utf8))
      #expect(measured.plannedBytes == rows[0].plannedBytes)
    }

    @Test("the largest batch fits, and one more would not")
    func largest() async throws {
      let network = ["-m", "resnet18", "--image-size", "64", "--train", "--memory-limit", "400MiB"]
      let most = try #require(try await rows(network + ["-b", "max"]).first)
      #expect(most.fits == true && most.batchSize > 1)
      let around = try await rows(
        network + ["-b", "\(most.batchSize),\(most.batchSize + 1)"], exitCode: 3)
      #expect(around.map(\.fits) == [true, false])
      #expect(around[0].plannedBytes == most.plannedBytes)
    }

    @Test("the table has a line for each batch, forward passes too")
    func table() async throws {
      let run = try await Tool.run(["plan", "-m", "lenet,mlp", "-b", "1,64"], in: "/")
      #expect(run.exitCode == 0)
      #expect(run.output.matches(of: #/(?m)^(lenet|mlp) +infer +(1|64) /#).count == 4)
      #expect(run.output.contains("activations (MiB)"))
    }
  }
}
