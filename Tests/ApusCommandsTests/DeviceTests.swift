import ApusPJRT
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  @Suite struct DeviceTests {
    private static let hasPlugin = (try? PluginSearch(platform: "cpu").run()) != nil
    private static let missing: Comment =
      "no XLA plugin: looked for the package xla-cpu-pjrt in the Python on the PATH; see scripts/xla"

    @Test(
      "networks run on XLA, and their logits are compared with the CPU's",
      .enabled(if: hasPlugin, missing))
    func bench() async throws {
      let run = try await Tool.run(
        [
          "bench", "-m", "squeezenet1_1", "-b", "2", "--device", "cpu,xla:cpu", "--execution",
          "eager,compiled", "--format", "jsonl",
        ] + Bench.quick, in: "/", within: 120)
      expectNoCrash(run)
      #expect(run.exitCode == 0)
      let rows = try Bench.rows(run.output)
      let cells = rows.map {
        "\($0["device"] as? String ?? "") \($0["execution"] as? String ?? "")"
      }
      #expect(cells == ["cpu eager", "cpu compiled", "xla:cpu eager", "xla:cpu compiled"])
      for row in rows.suffix(2) {
        #expect(row["status"] as? String == "ok" && row["threads"] == nil)
        #expect(try #require(row["max_rel_diff"] as? Double) <= 1e-4)
      }
    }

    @Test(
      "narrow numbers are faithful enough, and not those of fp32", .enabled(if: hasPlugin, missing))
    func precision() async throws {
      let run = try await Tool.run(
        [
          "bench", "-m", "squeezenet1_1", "--device", "xla:cpu", "--precision", "bf16,fp16",
          "--format", "jsonl",
        ] + Bench.quick, in: "/", within: 120)
      let rows = try Bench.rows(run.output)
      #expect(rows.map { $0["precision"] as? String } == ["bf16", "fp16"])
      for row in rows {
        #expect(row["status"] as? String == "ok")
        #expect(try #require(row["max_rel_diff"] as? Double) > 1e-5)
      }
    }

    @Test("a picture is classified alike on both", .enabled(if: hasPlugin, missing))
    func predict() async throws {
      let folder = try TemporaryFolder()
      var random = RandomTensors(seed: .random(in: 0 ... .max))
      let images = random.tensor([2, 3, 64, 64], in: -2...2)
      try NumPyFile.write(images, to: folder.path + "/x.npy")
      let network = ["-m", "resnet18", "--weights", Workspace.folder + "/resnet18.safetensors"]
      var logits: [HostTensor] = []
      for device in ["cpu", "xla:cpu"] {
        let file = folder.path + "/\(logits.count).npy"
        let run = try await Tool.run(
          ["predict", "--tensor", "x.npy", "--logits", file, "--device", device] + network,
          in: folder.path, within: 120)
        #expect(run.exitCode == 0, "\(run.errors)")
        logits.append(try NumPyFile.read(file))
      }
      let failure = difference(logits[1], from: logits[0], within: Tolerance(relative: 1e-4))
      #expect(failure == nil)
    }

    @Test("--exact changes the last bits of logits, and no more")
    func exact() async throws {
      let folder = try TemporaryFolder()
      var random = RandomTensors(seed: .random(in: 0 ... .max))
      try NumPyFile.write(
        random.tensor([1, 3, 64, 64], in: -2...2), to: folder.path + "/x.npy")
      var logits: [HostTensor] = []
      for flags in [[], ["--exact"]] {
        let file = folder.path + "/\(logits.count).npy"
        let run = try await Tool.run(
          [
            "predict", "-m", "resnet18", "--weights", Workspace.folder + "/resnet18.safetensors",
            "--tensor", "x.npy", "--logits", file,
          ] + flags, in: folder.path)
        #expect(run.exitCode == 0, "\(run.errors)")
        logits.append(try NumPyFile.read(file))
      }
      #expect(!logits[0].isIdentical(to: logits[1]))
      let failure = difference(logits[1], from: logits[0], within: Tolerance(relative: 1e-4))
      #expect(failure == nil)
    }

    @Test("--micro-batch changes nothing but the last bits of logits, and must divide each batch")
    func microBatch() async throws {
      let folder = try TemporaryFolder()
      var random = RandomTensors(seed: .random(in: 0 ... .max))
      try NumPyFile.write(
        random.tensor([4, 3, 64, 64], in: -2...2), to: folder.path + "/x.npy")
      let arguments = [
        "predict", "-m", "resnet18", "--weights", Workspace.folder + "/resnet18.safetensors",
        "--tensor", "x.npy", "--logits",
      ]
      var logits: [HostTensor] = []
      for size in ["1", "2", "4"] {
        let file = folder.path + "/\(size).npy"
        let run = try await Tool.run(arguments + [file, "--micro-batch", size], in: folder.path)
        #expect(run.exitCode == 0, "\(run.errors)")
        logits.append(try NumPyFile.read(file))
      }
      for parts in logits.dropLast() {
        let failure = difference(parts, from: logits[2], within: Tolerance(relative: 1e-4))
        #expect(failure == nil)
      }
      let wrong = try await Tool.run(arguments + ["y.npy", "--micro-batch", "3"], in: folder.path)
      #expect(wrong.exitCode == 1)
      #expect(
        wrong.errors.contains(
          "micro-batch 3: must divide the number of images that run together, got 4"))
    }

    @Test("a network is written as StableHLO, whole or not at all")
    func export() async throws {
      let folder = try TemporaryFolder()
      let arguments = ["export", "-m", "squeezenet1_1", "--image-size", "64", "--stablehlo"]
      let run = try await Tool.run(arguments + ["x.mlir", "--precision", "bf16"], in: folder.path)
      #expect(run.exitCode == 0)
      let text = try String(contentsOfFile: folder.path + "/x.mlir", encoding: .utf8)
      #expect(text.contains("// %arg1: features.0.weight, float32[64, 3, 3, 3]"))
      #expect(text.contains("\"stablehlo.convolution\"") && text.hasSuffix("}\n"))
      let failed = try await Tool.run(arguments + ["nowhere/x.mlir"], in: folder.path)
      #expect(failed.exitCode == 1 && failed.errors.contains("nowhere/x.mlir"))
      let small = try await Tool.run(
        ["export", "-m", "squeezenet1_1", "--image-size", "3", "--stablehlo", "y.mlir"],
        in: folder.path)
      #expect(small.exitCode == 1 && small.errors.contains("hint"))
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/y.mlir"))
    }

    @Test("what cannot be used is one clear error")
    func errors() async throws {
      for (arguments, code, words) in [
        (["--device", "tpu"], 64, "must be cpu, xla:cpu, xla:cuda or xla:cuda:NUMBER"),
        (["--device", "cpu", "--precision", "bf16"], 64, "computes in fp32"),
        (["--precision", "fp8"], 64, "must be one of fp32, tf32, bf16, fp16"),
        (["--device", "xla:cpu", "--xla-option", "foo"], 64, "must be NAME=VALUE"),
        (["--device", "xla:cpu", "--plugin", "/etc/passwd"], 3, "must be a shared library"),
        (["--device", "xla:cpu", "--plugin", "/nowhere.so"], 3, "skipped: /nowhere.so"),
      ] {
        let run = try await Tool.run(["bench", "-m", "lenet"] + arguments, in: "/")
        expectNoCrash(run)
        // What the command line alone does not show is a row.
        let text = code == 64 ? run.errors : run.output
        #expect(run.exitCode == Int32(code) && text.contains(words), "\(text)")
      }
    }
  }
}
