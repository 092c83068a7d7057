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

      enum CodingKeys: String, CodingKey {
        case name, parameters, macs
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
    }

    @Test("a pattern chooses networks")
    func pattern() async throws {
      let run = try await Tool.run(["models", "resnet1?"], in: "/")
      #expect(run.exitCode == 0)
      let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count == 4 && lines[3].isEmpty)
      #expect(lines[2].hasPrefix("resnet18  11,689,512  1.81 G "))
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
