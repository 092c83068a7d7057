import ApusIR
import ApusModels
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

extension CommandTests {
  /// `apus convert`
  @Suite struct ConvertTests {
    private func convert(_ arguments: String, in folder: String) async throws -> Tool.Run {
      let run = try await Tool.run(
        ["convert"] + arguments.split(separator: " ").map(String.init), in: folder)
      expectNoCrash(run)
      return run
    }

    /// A folder with a link to the workspace's weights of resnet18.
    private func folder() throws -> TemporaryFolder {
      let folder = try TemporaryFolder()
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/w", withDestinationPath: Workspace.folder)
      return folder
    }

    @Test("Weights go through every format and come back bit for bit")
    func formats() async throws {
      let folder = try folder()
      var source = "w/resnet18.safetensors"
      let original = try WeightFile(path: folder.path + "/" + source)
      for output in ["a.params", "b.npz", "c.pth", "d.pt", "e.safetensors"] {
        let run = try await convert("\(source) \(output) -m resnet18 --check", in: folder.path)
        #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run.errors)")
        #expect(run.output.hasPrefix("\(output): ") && run.output.contains("equal bit for bit"))
        source = output
      }
      let last = try WeightFile(path: folder.path + "/e.safetensors")
      for entry in original.entries {
        #expect(
          try last.tensor(named: entry.name).isIdentical(to: original.tensor(named: entry.name)))
      }
      let counters = last.entries.filter { $0.name.hasSuffix(".num_batches_tracked") }
      #expect(counters.count == 20 && last.entries.count == original.entries.count + 20)
      for counter in counters {
        #expect(try last.tensor(named: counter.name).values(as: Int64.self) == [0])
      }
      let names = try WeightFile(path: folder.path + "/a.params").entries.map(\.name)
      #expect(names.contains("arg:layer1_0_bn1_gamma"))
      #expect(names.contains("aux:layer4_1_bn2_moving_var"))
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left.sorted() == ["a.params", "b.npz", "c.pth", "d.pt", "e.safetensors", "w"])
    }

    @Test("Scales of inplace-abn are written as everybody's, and negative ones of others refused")
    func scales() async throws {
      let folder = try folder()
      let graph = try #require(Catalogue.zoo["resnet18"]).graph(batch: 1)
      var store = ParameterStore()
      for (input, _) in graph.inputs {
        guard let path = input.path else { continue }
        store[path] = HashedWeights.tensor(path: path, shape: input.type.shape)
      }
      let scale = try #require(store["layer1.0.bn1.weight"])
      store["layer1.0.bn1.weight"] = HostTensor(scale.shape, scale.floats.map { -$0 })
      try store.writeSafetensors(to: folder.path + "/plain.safetensors")
      try store.writeSafetensors(
        to: folder.path + "/own.safetensors", metadata: ["norm": "inplace-abn"])
      func predict(_ options: String) async throws -> Tool.Run {
        try await Tool.run(
          ["predict", "-m", "resnet18", "--tensor", "w/small.npy", "--threads", "1"]
            + options.split(separator: " ").map(String.init), in: folder.path)
      }
      let refused = try await predict("--norm inplace-abn --weights plain.safetensors")
      #expect(refused.exitCode == 1)
      #expect(
        refused.errors.contains(
          "plain.safetensors: layer1.0.bn1.weight: norm inplace-abn multiplies by |weight|"))
      let unnamed = try await convert("own.safetensors out.pth", in: folder.path)
      #expect(unnamed.exitCode == 1)
      #expect(unnamed.errors.contains("scales of norm inplace-abn must be written as those of"))
      let run = try await convert("own.safetensors out.safetensors -m resnet18", in: folder.path)
      #expect(run.exitCode == 0, "\(run.errors)")
      let written = try WeightFile(path: folder.path + "/out.safetensors")
      #expect(written.metadata == ["norm": "bn", "trained-norm": "inplace-abn"])
      let exported = try written.tensor(named: "layer1.0.bn1.weight").floats
      for (exported, scale) in zip(exported, scale.floats) {
        #expect((exported - abs(scale) - 1e-5).magnitude <= 1e-7 * abs(scale))
      }
      var logits: [HostTensor] = []
      for options in [
        "--norm inplace-abn --weights own.safetensors --logits a.npy",
        "--activation leaky-relu --weights own.safetensors --logits a.npy",
        "--activation leaky-relu --weights out.safetensors --logits a.npy",
      ] {
        let run = try await predict(options)
        #expect(run.exitCode == 0, "\(run.errors)")
        logits.append(try NumPyFile.read(folder.path + "/a.npy"))
      }
      let size = try #require(logits[0].doubles.map(\.magnitude).max())
      for other in logits.dropFirst() {
        let differences = zip(other.doubles, logits[0].doubles).map { ($0 - $1).magnitude }
        #expect(try #require(differences.max()) < 1e-4 * size)
      }
    }

    @Test("Logits are the same from every format")
    func predict() async throws {
      let folder = try folder()
      var logits: [Data] = []
      for output in ["x.safetensors", "x.params", "x.npz", "x.pth"] {
        let run = try await convert("w/resnet18.safetensors \(output) -m resnet18", in: folder.path)
        #expect(run.exitCode == 0)
        let classified = try await Tool.run(
          [
            "predict", "-m", "resnet18", "--weights", output, "--tensor", "w/small.npy",
            "--logits", "logits.npy", "--threads", "1",
          ], in: folder.path)
        #expect(classified.exitCode == 0, "\(classified.errors)")
        logits.append(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/logits.npy")))
      }
      #expect(logits.count == 4 && Set(logits).count == 1)
    }

    @Test(
      "Names of torchvision, timm and MXNet are translated into each other",
      arguments: [
        ("mobilenetv3_large_100", "features.4.block.2.fc1.bias", "blocks.2.0.se.conv_reduce.bias"),
        ("mobilenet_v2", "features.2.conv.2.weight", "blocks.1.0.conv_pwl.weight"),
        ("efficientnet_b0", "features.2.1.block.0.0.weight", "blocks.1.1.conv_pw.weight"),
        ("squeezenet1_1", "features.12.expand3x3.bias", "features.12.expand3x3.bias"),
      ])
    func names(model: String, torchvision: String, timm: String) async throws {
      let folder = try TemporaryFolder()
      try Workspace.writeWeights(of: model, to: folder.path + "/own.safetensors")
      var source = "own.safetensors"
      for (output, map) in [
        ("a.safetensors", "torchvision"), ("b.npz", "timm"), ("c.params", "mxnet"),
        ("d.pth", "timm"), ("e.params", "mxnet"), ("f.safetensors", "torchvision"),
      ] {
        let run = try await convert(
          "\(source) \(output) -m \(model) --map \(map) --check", in: folder.path)
        #expect(run.exitCode == 0 && run.output.contains("equal bit for bit"), "\(run.errors)")
        source = output
      }
      let first = try WeightFile(path: folder.path + "/a.safetensors")
      let last = try WeightFile(path: folder.path + "/f.safetensors")
      #expect(first.entries == last.entries && first.entry(named: torchvision) != nil)
      for entry in first.entries {
        #expect(
          try first.tensor(named: entry.name).isIdentical(to: last.tensor(named: entry.name)))
      }
      #expect(try WeightFile(path: folder.path + "/d.pth").entry(named: timm) != nil)
      if model == "mobilenetv3_large_100" {
        let head = try WeightFile(path: folder.path + "/d.pth").entry(named: "conv_head.weight")
        #expect(head?.shape == [1280, 960, 1, 1])
      } else if model == "squeezenet1_1" {
        let names = try WeightFile(path: folder.path + "/c.params").entries.map(\.name)
        #expect(names.contains("arg:fire9_expand3x3_bias") && names.contains("arg:conv10_weight"))
      }
    }

    @Test("Without a network names and all kinds of numbers stay as they are")
    func copies() async throws {
      let folder = try folder()
      let steps = [
        ("w/weights/npz-tiny.bin", "a.safetensors"), ("w/weights/zip-views.bin", "b.pth"),
        ("w/weights/params-v0.bin", "c.npz"), ("w/weights/safetensors-kinds.bin", "d.safetensors"),
        ("w/weights/legacy-tiny.bin", "e.params"),
      ]
      for (input, output) in steps {
        let run = try await convert("\(input) \(output) --check", in: folder.path)
        #expect(run.exitCode == 0, "\(run.errors)")
        let source = try WeightFile(path: folder.path + "/" + input)
        let copy = try WeightFile(path: folder.path + "/" + output)
        #expect(Set(copy.entries.map(\.name)) == Set(source.entries.map(\.name)))
        #expect(copy.metadata == source.metadata)
        for entry in source.entries {
          #expect(
            try copy.tensor(named: entry.name).isIdentical(to: source.tensor(named: entry.name)))
        }
      }
    }

    @Test("A file is converted over itself and over an older one")
    func inPlace() async throws {
      let folder = try folder()
      try Workspace.writeWeights(of: "resnet18", to: folder.path + "/x.pth")
      for format in ["PyTorch zip", "PyTorch zip"] {
        let run = try await convert("x.pth x.pth -m resnet18 --check", in: folder.path)
        #expect(run.exitCode == 0 && run.output.contains(format), "\(run.errors)")
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left.sorted() == ["w", "x.pth"])
    }

    @Test("All mismatches are listed, and the output stays as it was")
    func mismatches() async throws {
      let folder = try folder()
      let path = folder.path + "/out.npz"
      try "older".write(toFile: path, atomically: false, encoding: .utf8)
      let run = try await convert("w/odd.safetensors out.npz -m resnet18", in: folder.path)
      #expect(run.exitCode == 1 && run.output.isEmpty)
      for part in [
        "Error: w/odd.safetensors: 103 tensors do not match the network",
        "  missing: conv1.weight: expected float32[64, 3, 7, 7]",
        "  wrong shape: fc.weight: expected float32[1000, 512], got float32[10, 512]",
        "  unexpected: nose: got float32[3]",
      ] { #expect(run.errors.contains(part), "\(run.errors)") }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "older")
    }

    @Test("A full disk leaves no half file")
    func fullDisk() async throws {
      let folder = try folder()
      let run = try await Tool.run(
        ["convert", "w/resnet18.safetensors", "x.pth"], in: folder.path, limit: "ulimit -f 100")
      expectNoCrash(run)
      #expect(run.exitCode == 1 && run.errors.contains("x.pth: cannot write the file"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["w"])
    }

    @Test(
      "Wrong usage and files that cannot be converted are explained",
      arguments: [
        ("w/resnet18.safetensors out.bin", 64, "output: its name must end in .pth, .pt"),
        ("w/resnet18.safetensors x.npz --map mxnet", 64, "--map: must come with --model"),
        ("w/resnet18.safetensors x.npz --map caffe -m resnet18", 64, "'caffe' is invalid"),
        ("w/resnet18.safetensors x.npz --classes 10", 64, "must come with --model"),
        ("w/resnet18.safetensors x.npz -m resnet19", 64, "did you mean resnet18?"),
        ("w/resnet18.safetensors", 64, "Missing expected argument '<output>'"),
        ("nowhere.pth x.npz", 1, "nowhere.pth: cannot open the file"),
        ("w/landscape.jpg x.npz", 1, "must be safetensors, a PyTorch state dict, .npz or MXNet"),
        ("w/resnet18.safetensors nowhere/x.npz", 1, "hint: create the folder first"),
        ("w/weights/npz-compressed.bin x.pth", 1, "hint: save it with numpy.savez"),
        ("w/weights/params-sparse.bin x.pth", 1, "sparse storage (row_sparse) is not supported"),
        ("w/weights/zip-kinds.bin x.npz", 1, "bfloat16: NumPy npz files cannot hold bfloat16"),
        ("w/weights/zip-kinds.bin x.params", 1, "scalar: MXNet params files cannot hold float32[]"),
        ("w/weights/npz-kinds.bin x.pth", 1, "elements of type <u2 are not supported"),
        ("w/weights/evil-global.bin x.pth", 1, "refuses to call os.system"),
      ])
    func errors(arguments: String, exitCode: Int32, message: String) async throws {
      let folder = try folder()
      let run = try await convert(arguments, in: folder.path)
      #expect(run.exitCode == exitCode && run.output.isEmpty)
      #expect(run.errors.hasPrefix("Error: ") && run.errors.contains(message), "\(run.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["w"])
    }
  }
}
