import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  /// Standard output and standard error that are full, closed or cut off; Ctrl-C.
  @Suite struct StreamTests {
    @Test(
      "a full or closed standard output is an error",
      arguments: ["models", "models --format json", "inspect resnet18.safetensors"])
    func lostOutput(command: String) async throws {
      let arguments = command.split(separator: " ").map(String.init)
      let outputs: [(Tool.Destination, String)] = [
        (.file("/dev/full"), "No space left on device"), (.closed, "Bad file descriptor"),
      ]
      for (output, reason) in outputs {
        let run = try await Tool.run(arguments, in: Workspace.folder, output: output)
        expectNoCrash(run)
        #expect(run.exitCode == 1)
        #expect(run.errors.hasPrefix("Error: standard output: cannot write the file: \(reason)"))
      }
    }

    @Test("a reader that goes away ends the program silently")
    func brokenPipe() async throws {
      let run = try await Tool.run(["models"], in: "/", output: .brokenPipe)
      #expect(run.signal == SIGPIPE && run.errors.isEmpty)
    }

    @Test("a closed standard output never ends up in the file of logits")
    func closedOutput() async throws {
      let folder = try TemporaryFolder()
      let run = try await Tool.run(
        prediction + ["landscape.jpg", "--logits", folder.path + "/x.npy"],
        in: Workspace.folder, output: .closed)
      expectNoCrash(run)
      #expect(run.exitCode == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("a full or closed standard error does not stop a measurement")
    func lostErrors() async throws {
      for errors in [Tool.Destination.file("/dev/full"), .closed] {
        let run = try await Tool.run(
          ["bench", "-m", "resnet18", "--format", "json"] + Bench.quick, in: "/", errors: errors)
        #expect(run.exitCode == 0 && run.signal == nil)
        #expect(try Bench.rows(json: run.output).count == 1)
      }
    }

    @Test("a full disk is reported, whatever was printed before")
    func fullDisk() async throws {
      let run = try await Tool.run(
        prediction + ["landscape.jpg", "--logits", "/dev/full"], in: Workspace.folder)
      expectNoCrash(run)
      #expect(run.exitCode == 1)
      #expect(run.errors.hasPrefix("Error: /dev/full: cannot write the file: No space left"))
      #expect(run.errors.contains("hint: free some space or choose another folder"))
    }

    @Test("a limit on the size of files is reported, and nothing half-written stays")
    func limitedFile() async throws {
      let folder = try TemporaryFolder()
      let run = try await Tool.run(
        prediction + ["landscape.jpg", "--logits", folder.path + "/x.npy"], in: Workspace.folder,
        limit: "ulimit -f 2")
      expectNoCrash(run)
      #expect(run.exitCode == 1)
      let message = "Error: \(folder.path)/x.npy: cannot write the file: File too large\n"
      #expect(run.errors == message + "  hint: the system limits the size of files (ulimit -f)\n")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(
      "Ctrl-C keeps the rows that were measured and exits with 130",
      arguments: ["table", "json", "jsonl"])
    func interruptedBench(format: String) async throws {
      let arguments =
        ["bench", "-m", "resnet18", "-b", "1,2,3,4,5,6,7,8", "--format", format] + Bench.quick
      let run = try await Tool.run(arguments, in: "/") { _, errors in
        errors.contains("batch 2,")
      }
      expectNoCrash(run)
      #expect(run.exitCode == 130)
      if format == "table" {
        #expect(run.output.contains(#/\nresnet18 +1 +compiled /#))
        #expect(!run.output.contains(#/\nresnet18 +8 /#))
      } else {
        let rows = try format == "json" ? Bench.rows(json: run.output) : Bench.rows(run.output)
        #expect((1...7).contains(rows.count))
        #expect(rows.first?["status"] as? String == "ok")
        #expect(rows.first?["batch_size"] as? Int == 1)
      }
    }

    @Test("Ctrl-C leaves no logits, and an older file as it was", arguments: ["table", "json"])
    func interruptedPrediction(format: String) async throws {
      let folder = try TemporaryFolder()
      let file = folder.path + "/x.npy"
      try "older".write(toFile: file, atomically: false, encoding: .utf8)
      let pictures = Array(repeating: "misnamed.jpg", count: 5000)
      let run = try await Tool.run(
        prediction + pictures + ["--logits", file, "--format", format], in: Workspace.folder
      ) { _, errors in errors.split(separator: "\n").count > 3 }
      expectNoCrash(run)
      #expect(run.exitCode == 130)
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "older")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x.npy"])
      if format == "json" {
        let rows = try Prediction.rows(run.output)
        #expect((1..<5000).contains(rows.count))
        #expect(rows.allSatisfy { $0.predictions?.count == 5 })
      }
    }

    private var prediction: [String] {
      ["predict", "-m", "resnet18", "--weights", "resnet18.safetensors", "--image-size", "64"]
    }
  }
}
