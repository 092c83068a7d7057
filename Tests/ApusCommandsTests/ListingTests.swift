import Foundation
import Testing

extension CommandTests {
  /// `apus models` and `apus inspect`.
  @Suite struct ListingTests {
    private struct Model: Decodable {
      let name: String
      let parameters: Int
      let macs: Int
      let imageSize: Int
      let classes: Int

      enum CodingKeys: String, CodingKey {
        case name, parameters, macs, classes
        case imageSize = "image_size"
      }
    }

    /// Parameters and 10⁹ multiply–accumulate operations as torchvision states them.
    private static let published: [(name: String, parameters: Int, gigaMACs: Double)] = [
      ("resnet18", 11_689_512, 1.814), ("resnet34", 21_797_672, 3.664),
      ("resnet50", 25_557_032, 4.089), ("resnet101", 44_549_160, 7.801),
      ("resnet152", 60_192_808, 11.514), ("resnext50_32x4d", 25_028_904, 4.230),
      ("resnext101_32x8d", 88_791_336, 16.414), ("resnext101_64x4d", 83_455_272, 15.460),
    ]

    /// The other networks' parameters: of published weight files, or worked out from the definition.
    private static let parameters = [
      "alexnet": 61_100_840, "caffenet": 60_965_224, "densenet121": 7_978_856,
      "densenet169": 14_149_480, "efficientnet_b0": 5_288_548, "efficientnet_b1": 7_794_184,
      "efficientnet_b2": 9_109_994, "efficientnet_b3": 12_233_232, "googlenet": 6_624_904,
      "inception_bn": 11_295_240, "inception_v3": 23_834_568, "inception_v3_mx": 23_834_568,
      "legacy_seresnext50_32x4d": 27_559_896, "lenet": 431_080, "mlp": 109_386,
      "mobilenet_v2": 3_504_872, "mobilenet_v3_large": 5_483_032,
      "mobilenetv3_large_100": 5_483_032, "nin": 7_595_176,
      "resnet18_v2": 11_691_950, "resnet34_v2": 21_800_110, "resnet50_v2": 25_549_486,
      "resnet101_v2": 44_541_614, "resnet152_v2": 60_185_262, "resnet200_v2": 64_666_286,
      "resnext50_mx": 25_028_910, "resnext101_mx": 44_177_710, "resnext101_64x4d_mx": 83_455_278,
      "seresnext50_32x4d": 27_559_896, "squeezenet1_1": 1_235_496, "tf_efficientnet_b0": 5_288_548,
      "tf_efficientnet_b1": 7_794_184, "tf_efficientnet_b2": 9_109_994,
      "tf_efficientnet_b3": 12_233_232, "vgg11": 132_863_336, "vgg13": 133_047_848,
      "vgg16": 138_357_544, "vgg16_bn": 138_365_992, "vgg19": 143_667_240,
    ]

    @Test("the networks have the published sizes")
    func models() async throws {
      let run = try await Tool.run(["models", "--format", "json"], in: "/")
      #expect(run.exitCode == 0)
      let models = try JSONDecoder().decode([Model].self, from: Data(run.output.utf8))
      #expect(Set(models.map(\.name)).count == models.count)
      for published in Self.published {
        let model = try #require(models.first { $0.name == published.name })
        #expect(model.parameters == published.parameters)
        #expect(abs(Double(model.macs) * 1e-9 - published.gigaMACs) < 0.001)
        #expect(model.imageSize == 224)
      }
      let rest = models.filter { model in !Self.published.contains { $0.name == model.name } }
      #expect(
        Dictionary(uniqueKeysWithValues: rest.map { ($0.name, $0.parameters) }) == Self.parameters)
      #expect(Set(models.filter { $0.classes != 1000 }.map(\.name)) == ["lenet", "mlp"])
      #expect(Set(models.map(\.classes)) == [10, 1000])
    }

    @Test("a pattern chooses networks")
    func pattern() async throws {
      let run = try await Tool.run(["models", "resnet1?"], in: "/")
      #expect(run.exitCode == 0)
      let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count == 4 && lines[3].isEmpty)
      #expect(lines[2].hasPrefix("resnet18  11,689,512  1.81 G "))
    }

    @Test(
      "options of a definition change the sizes",
      arguments: [
        ("resnet34 --stem deep", 21_816_904, 1000), ("vgg16 --head cut", 39_803_688, 1000),
        ("vgg16 --head cut --classes 10", 14_965_578, 10), ("lenet --classes 26", 439_096, 26),
        ("resnet18 --branch-activation", 11_689_512, 1000),
        ("tf_efficientnet_b0 --drop-connect 0.3 --dropout 0 --activation relu", 5_288_548, 1000),
      ])
    func options(arguments: String, parameters: Int, classes: Int) async throws {
      let words = ["models", "--format", "json"] + arguments.split(separator: " ").map(String.init)
      let run = try await Tool.run(words, in: "/")
      #expect(run.exitCode == 0 && run.errors.isEmpty)
      let models = try JSONDecoder().decode([Model].self, from: Data(run.output.utf8))
      #expect(models.map(\.parameters) == [parameters] && models.map(\.classes) == [classes])
    }

    @Test("the preprocessing is part of the JSON listing")
    func preprocessing() async throws {
      let run = try await Tool.run(["models", "caffenet", "--format", "json"], in: "/")
      let listed = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
      let model = try #require((listed as? [[String: Any]])?.first)
      #expect(model["image_size"] as? Int == 227 && model["channels"] as? Int == 3)
      #expect(model["interpolation"] as? String == "bilinear")
      #expect(model["crop_fraction"] as? Double == 227.0 / 256)
      let deviation = try #require(model["std"] as? [Double])
      #expect(deviation.count == 3 && deviation.allSatisfy { ($0 * 255 - 1).magnitude < 1e-9 })
      let mean = try #require(model["mean"] as? [Double])
      #expect((mean[0] * 255 - 123.68).magnitude < 1e-9)
    }

    private struct Listing: Decodable {
      struct Tensor: Decodable {
        let name: String
        let dtype: String
        let shape: [Int]
        let bytes: Int
      }

      let format: String
      let tensors: [Tensor]
    }

    @Test(
      "state dicts of every format are listed",
      arguments: [
        "zip-kinds", "legacy-kinds", "safetensors-kinds", "zip-wrapped", "legacy-wrapped",
        "npz-kinds", "params-kinds", "params-v0", "params-v3",
      ])
    func inspect(file: String) async throws {
      let arguments = ["inspect", "weights/\(file).bin"]
      let run = try await Tool.run(arguments + ["--format", "json"], in: Workspace.folder)
      #expect(run.exitCode == 0 && run.errors.isEmpty)
      let listing = try JSONDecoder().decode(Listing.self, from: Data(run.output.utf8))
      #expect(!listing.tensors.isEmpty)
      for tensor in listing.tensors where tensor.dtype == "float32" {
        #expect(tensor.bytes == 4 * tensor.shape.reduce(1, *))
      }
      let table = try await Tool.run(arguments, in: Workspace.folder)
      #expect(table.exitCode == 0)
      for tensor in listing.tensors {
        let line = "\(tensor.name) +\(tensor.dtype) +\\[.*\\] +[0-9,]+"
        #expect(table.output.contains(try Regex("(?m)^\(line)$")))
      }
      #expect(table.output.contains(", \(listing.tensors.count) tensors, "))
    }

    @Test("the kinds of numbers of a file are told apart")
    func kinds() async throws {
      let run = try await Tool.run(
        ["inspect", "weights/zip-kinds.bin", "--format", "json"], in: Workspace.folder)
      let listing = try JSONDecoder().decode(Listing.self, from: Data(run.output.utf8))
      let known = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool"]
      for name in known {
        let tensor = try #require(listing.tensors.first { $0.name == name })
        #expect(tensor.dtype == name && tensor.shape == [3, 5])
      }
    }
  }
}
