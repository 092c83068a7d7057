import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

/// A row of `apus predict --format json`.
struct Prediction: Decodable {
  struct Class: Decodable {
    let index: Int
    let label: String?
    let probability: Double
    let logit: Double
  }

  let image: String
  let predictions: [Class]?
  let error: String?

  static func rows(_ json: String) throws -> [Prediction] {
    try JSONDecoder().decode([Prediction].self, from: Data(json.utf8))
  }
}

extension CommandTests {
  @Suite struct PredictTests {
    private func predict(_ arguments: String...) async throws -> Tool.Run {
      let run = try await Tool.run(
        ["predict", "-m", "resnet18", "--weights", "resnet18.safetensors"] + arguments,
        in: Workspace.folder)
      expectNoCrash(run)
      return run
    }

    /// PyTorch's logits of one picture of `Examples/pictures`.
    private func expected(_ name: String) throws -> [Float] {
      try NumPyFile.read(Workspace.fixture(name + ".npy")).floats
    }

    private func expectEqual(_ logits: ArraySlice<Float>, _ expected: [Float]) {
      #expect(logits.count == expected.count)
      let largest = expected.reduce(0) { max($0, $1.magnitude) }
      let difference = zip(logits, expected).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
      #expect(difference <= 1e-4 * largest, "differs by \(difference) of \(largest)")
      #expect(logits.allSatisfy { $0.isFinite })
    }

    private func top(_ count: Int, of logits: [Float]) -> [Int] {
      Array(logits.indices.sorted { logits[$0] > logits[$1] }.prefix(count))
    }

    @Test(
      "logits of pictures equal those of PyTorch's pipeline",
      arguments: ["eager", "compiled"], [224, 96])
    func logits(execution: String, size: Int) async throws {
      let folder = try TemporaryFolder()
      let run = try await predict(
        "landscape.jpg", "spheres.png", "--execution", execution, "--image-size", "\(size)",
        "--logits", folder.path + "/x.npy", "--format", "json")
      #expect(run.exitCode == 0 && run.errors.isEmpty)
      let logits = try NumPyFile.read(folder.path + "/x.npy")
      #expect(logits.shape == [2, 1000])
      let rows = try Prediction.rows(run.output)
      #expect(rows.map(\.image) == ["landscape.jpg", "spheres.png"])
      for (index, name) in ["landscape", "spheres"].enumerated() {
        let wanted = try expected("\(name)-\(size)")
        expectEqual(logits.floats[index * 1000..<index * 1000 + 1000], wanted)
        let classes = try #require(rows[index].predictions)
        #expect(classes.map(\.index) == top(5, of: wanted))
        let sum = wanted.reduce(0) { $0 + exp(Double($1)) }
        for likely in classes {
          let logit = Double(wanted[likely.index])
          #expect(abs(likely.logit - logit) < 1e-4)
          #expect(abs(likely.probability - exp(logit) / sum) < 1e-4)
          #expect(likely.label == nil)
        }
      }
    }

    @Test("the table shows the most likely classes with their names")
    func table() async throws {
      let wanted = top(3, of: try expected("landscape-224"))
      for labels in ["labels.txt", "windows.txt"] {
        let run = try await predict("landscape.jpg", "--labels", labels, "--top-k", "3")
        #expect(run.exitCode == 0 && run.errors.isEmpty)
        let lines = run.output.split(separator: "\n")
        #expect(lines.first == "landscape.jpg")
        #expect(lines.dropFirst(3).count == 3)
        for (line, index) in zip(lines.dropFirst(3), wanted) {
          #expect(line.contains(try Regex("^ *\(index) +[0-9.]+ %  name \(index)$")), "\(line)")
        }
      }
    }

    @Test("pictures of a folder run in batches, a misnamed one with a warning")
    func folder() async throws {
      let output = try TemporaryFolder()
      let run = try await predict(
        "three", "-b", "2", "--logits", output.path + "/x.npy", "--format", "json",
        "--labels", "labels.txt", "--top-k", "2")
      #expect(run.exitCode == 0)
      #expect(run.errors == "warning: three/b.jpg: is a PNG; decoded by its content\n")
      let rows = try Prediction.rows(run.output)
      #expect(rows.map(\.image) == ["three/a.jpg", "three/b.jpg", "three/c.png"])
      let logits = try NumPyFile.read(output.path + "/x.npy").floats
      for (index, name) in ["landscape-224", "spheres-224", "spheres-224"].enumerated() {
        let wanted = try expected(name)
        expectEqual(logits[index * 1000..<index * 1000 + 1000], wanted)
        #expect(rows[index].predictions?.map(\.index) == top(2, of: wanted))
        #expect(rows[index].predictions?.map(\.label) == top(2, of: wanted).map { "name \($0)" })
      }
    }

    @Test("a bad picture among others is reported and the others are classified")
    func badPicture() async throws {
      let reason = "must be a JPEG, PNG or WebP picture, but starts like text: \"not a picture\\n\""
      let run = try await predict("some", "--format", "json", "-b", "4")
      #expect(run.exitCode == 3)
      #expect(run.errors == "Error: some/bad.jpg: \(reason)\n")
      let rows = try Prediction.rows(run.output)
      let good = try #require(rows.first { $0.image == "some/good.png" })
      #expect(good.predictions?.map(\.index) == top(5, of: try expected("spheres-224")))
      #expect(rows.first { $0.image == "some/bad.jpg" }?.error == "some/bad.jpg: \(reason)")
      let table = try await predict("some")
      #expect(table.exitCode == 3 && table.output.hasPrefix("some/good.png\nclass  probability"))
    }

    @Test("no good picture at all is exit code 1, and no file of logits")
    func onlyBadPictures() async throws {
      let output = try TemporaryFolder()
      let run = try await predict(
        "text.jpg", "bomb.png", "empty.jpg", "--logits", output.path + "/x.npy")
      #expect(run.exitCode == 1 && run.output.isEmpty)
      #expect(run.errors.split(separator: "\n").count == 3)
      #expect(try FileManager.default.contentsOfDirectory(atPath: output.path).isEmpty)
    }

    @Test(
      "logits of arrays equal PyTorch's", arguments: ["eager", "compiled"],
      [[1, 1], [3, 3], [3, 2], [3, 1]])
    func arrays(execution: String, images: [Int]) async throws {
      let (count, batch) = (images[0], images[1])
      let output = try TemporaryFolder()
      let run = try await predict(
        "--tensor", "images-b\(count).npy", "--logits", output.path + "/x.npy",
        "--execution", execution, "-b", "\(batch)", "--format", "json")
      #expect(run.exitCode == 0 && run.errors.isEmpty)
      let names = (0..<count).map { "images-b\(count).npy[\($0)]" }
      #expect(try Prediction.rows(run.output).map(\.image) == names)
      let wanted = try NumPyFile.read(
        Workspace.repository
          + "/Tests/ApusModelsTests/Fixtures/logits/resnet18-b\(count).npy")
      let logits = try NumPyFile.read(output.path + "/x.npy")
      #expect(logits.type == wanted.type)
      for row in 0..<count {
        let range = row * 1000..<row * 1000 + 1000
        expectEqual(logits.floats[range], Array(wanted.floats[range]))
      }
    }

    @Test("a new head is initialised where a mismatch is allowed")
    func newHead() async throws {
      let run = try await predict(
        "landscape.jpg", "--classes", "10", "--allow-mismatch", "fc.*", "--top-k", "10",
        "--format", "json", "--image-size", "64")
      #expect(run.exitCode == 0)
      let warnings = ["fc.weight", "fc.bias"].map {
        "warning: \($0): initialised afresh, because --allow-mismatch says so\n"
      }
      #expect(run.errors == warnings.joined())
      let classes = try #require(try Prediction.rows(run.output).first?.predictions)
      #expect(Set(classes.map(\.index)) == Set(0..<10))
      #expect(abs(classes.reduce(0) { $0 + $1.probability } - 1) < 1e-9)
    }

    /// The hashed weights with one tensor changed, as a file in `folder`.
    private func weights(
      in folder: TemporaryFolder, changing path: String, _ change: (inout [Float]) -> Void
    ) throws -> String {
      let file = try WeightFile(path: Workspace.folder + "/resnet18.safetensors")
      var store = ParameterStore()
      for entry in file.entries { store[entry.name] = try file.tensor(named: entry.name) }
      let tensor = try #require(store[path])
      var values = tensor.floats
      change(&values)
      store[path] = HostTensor(tensor.shape, values)
      let changed = folder.path + "/changed.safetensors"
      try store.writeSafetensors(to: changed)
      return changed
    }

    @Test("pixels are normalised as asked for")
    func normalization() async throws {
      func logits(_ arguments: String...) async throws -> Data {
        let output = try TemporaryFolder()
        let run = try await Tool.run(
          [
            "predict", "-m", "resnet18", "--weights", "resnet18.safetensors", "landscape.jpg",
            "--image-size", "64", "--threads", "1", "--logits", output.path + "/x.npy",
          ] + arguments, in: Workspace.folder)
        #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run.errors)")
        return try Data(contentsOf: URL(fileURLWithPath: output.path + "/x.npy"))
      }
      var all: [Data] = []
      for normalization in ["imagenet", "centered", "caffe", "raw"] {
        all.append(try await logits("--normalization", normalization))
      }
      #expect(try await logits() == all[0] && Set(all).count == 4)
    }

    @Test("networks for grey pictures take coloured ones", arguments: ["lenet", "mlp"])
    func grey(model: String) async throws {
      let folder = try TemporaryFolder()
      try Workspace.writeWeights(of: model, to: folder.path + "/w.safetensors")
      let run = try await Tool.run(
        [
          "predict", "-m", model, "--weights", folder.path + "/w.safetensors", "landscape.jpg",
          "spheres.png", "-b", "2", "--format", "json",
        ], in: Workspace.folder)
      expectNoCrash(run)
      #expect(run.exitCode == 0 && run.errors.isEmpty)
      let rows = try Prediction.rows(run.output)
      let logits = rows.compactMap { $0.predictions?.map(\.logit) }
      #expect(logits.count == 2 && logits.first != logits.last)
    }

    @Test("weights that are no numbers are refused", arguments: ["conv1.weight", "fc.bias"])
    func weightsNotFinite(path: String) async throws {
      let folder = try TemporaryFolder()
      let wrong = Int.random(in: 0..<1000)
      let file = try weights(in: folder, changing: path) { $0[wrong] = .nan }
      let run = try await predict("landscape.jpg", "--weights", file)
      #expect(run.exitCode == 1 && run.output.isEmpty)
      #expect(
        run.errors
          == "Error: \(file): weights must be finite, got nan in \(path), element \(wrong)\n")
    }

    @Test("logits that overflow are an error, but are written")
    func logitsNotFinite() async throws {
      let folder = try TemporaryFolder()
      let wrong = Int.random(in: 0..<1000)
      let file = try weights(in: folder, changing: "fc.weight") { values in
        for index in wrong * 512..<(wrong + 1) * 512 { values[index] = .greatestFiniteMagnitude }
      }
      let run = try await predict(
        "landscape.jpg", "--image-size", "64", "--weights", file, "--logits",
        folder.path + "/x.npy")
      #expect(run.exitCode == 1 && run.output.isEmpty)
      #expect(
        run.errors == "Error: landscape.jpg: logits must be finite, got inf; check the weights\n")
      let logits = try NumPyFile.read(folder.path + "/x.npy").floats
      #expect(logits.indices.filter { !logits[$0].isFinite } == [wrong])
    }

    @Test("a batch that does not fit into memory is refused before anything is decoded")
    func outOfMemory() async throws {
      // Pixels of 3 TB, and their copy.
      let run = try await Tool.run(
        ["predict", "-m", "resnet18", "--weights", "resnet18.safetensors", "-b", "5000"]
          + Array(repeating: "text.jpg", count: 5000) + ["--image-size", "7168"],
        in: Workspace.folder)
      expectNoCrash(run)
      #expect(run.exitCode == 1)
      #expect(run.errors.hasPrefix("Error: out of memory: 6165626880000 bytes could not be"))
    }

    @Test("a file's name cannot drive the terminal")
    func controlCharacters() async throws {
      let folder = try TemporaryFolder()
      for (name, source) in [("a\u{1B}[31m.jpg", "landscape.jpg"), ("b\u{1B}[0m.jpg", "text.jpg")] {
        try FileManager.default.copyItem(
          atPath: Workspace.folder + "/" + source, toPath: folder.path + "/" + name)
      }
      let run = try await predict(folder.path, "--image-size", "32")
      #expect(run.exitCode == 3)
      #expect(run.output.hasPrefix(folder.path + "/a\\u{1b}[31m.jpg\n"))
      #expect(run.errors.contains("/b\\u{1b}[0m.jpg: must be a JPEG"))
      #expect(!(run.output + run.errors).contains("\u{1B}"))
    }

    @Test("pictures smaller than the network's strides are classified", arguments: [1, 31])
    func tiny(size: Int) async throws {
      let run = try await predict("landscape.jpg", "--image-size", "\(size)", "--format", "json")
      #expect(run.exitCode == 0)
      #expect(try Prediction.rows(run.output).first?.predictions?.count == 5)
    }
  }
}
