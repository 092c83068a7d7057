import ApusIR
import ApusModels
import Testing

@Suite("The zoo's limits")
struct ZooErrorTests {
  @Test(
    "name the layer that an image is too small for, and the smallest size that works",
    arguments: [
      ("alexnet", 62, "features.10: maxPool: "), ("vgg11", 31, "features.18: maxPool: "),
      ("vgg16_bn", 31, "features.41: maxPool: "),
      ("squeezenet1_1", 16, "features.7.expand1x1: maxPool: "),
      ("googlenet", 14, "inception3b.branch1.bn: maxPool: "),
      ("inception_v3", 74, "Mixed_7a.branch3x3_2.conv: convolution: "),
      ("densenet121", 28, "features.transition3.conv: averagePool: "),
      ("mobilenet_v2", 0, "input: "), ("mobilenet_v3_large", 0, "input: "),
      ("lenet", 27, "fc1: dot: "), ("mlp", 27, "fc1: dot: "),
    ])
  func tooSmall(name: String, side: Int, start: String) throws {
    let model = try #require(Catalogue.zoo[name])
    #expect {
      try model.graph(batch: 1, imageSize: side)
    } throws: { error in
      let size = "\(side + 1)×\(side + 1)"
      let hint = side == 0 ? "" : "hint: the smallest image that \(name) takes is \(size)"
      let matches = "\(error)".hasPrefix(start) && "\(error)".hasSuffix(hint)
      if !matches { print("\(name): \(error)") }
      return matches
    }
  }

  @Test(
    "begin just above those sizes",
    arguments: [
      ("alexnet", 63), ("vgg11", 32), ("vgg16_bn", 32), ("squeezenet1_1", 17), ("googlenet", 15),
      ("inception_v3", 75), ("densenet121", 29), ("mobilenet_v2", 1), ("mobilenet_v3_large", 1),
    ])
  func smallest(name: String, side: Int) throws {
    let graph = try #require(Catalogue.zoo[name]).graph(batch: 1, imageSize: side)
    #expect(graph[graph.outputs[0].value].shape == [1, 1000])
  }

  @Test("refuse the options that a definition does not have")
  func options() throws {
    for (name, options) in [
      ("vgg16", NetworkOptions(order: .normBefore)), ("alexnet", NetworkOptions(stem: .deep)),
      ("mobilenet_v3_large", NetworkOptions(padding: .same)),
      ("vgg16", NetworkOptions(norm: .inPlace)), ("mlp", NetworkOptions(checkpoint: .sqrt)),
      ("resnet18", NetworkOptions(activation: .relu, norm: .inPlace)),
      ("resnet18", NetworkOptions(norm: .inPlace, zeroesBranch: true)),
      ("mlp", NetworkOptions(head: .cut)), ("densenet121", NetworkOptions(dropout: 0.1)),
      ("googlenet", NetworkOptions(dropout: 1)), ("vgg11", NetworkOptions(classes: 0)),
    ] {
      let model = try #require(Catalogue.zoo[name])
      #expect(throws: ModelError.self) { try model.graph(batch: 1, options) }
    }
  }

  @Test("leave the head's dropout to training, and out of a cut head")
  func dropout() throws {
    func masks(_ name: String, _ options: NetworkOptions, training: Bool = true) throws -> Int {
      let model = try #require(Catalogue.zoo[name])
      let side = model.imageSize
      let graph = try model.graph(
        images: [2, model.input.channels, side, side], options, training: training)
      return graph.inputs.count { input, _ in
        if case .random = input.role { true } else { false }
      }
    }
    for (name, full, cut) in [
      ("alexnet", 2, 0), ("vgg16", 2, 0), ("squeezenet1_1", 1, 1), ("googlenet", 1, 0),
      ("inception_v3", 1, 0), ("mobilenet_v2", 1, 0), ("mobilenet_v3_large", 1, 0),
    ] {
      #expect(try masks(name, NetworkOptions()) == full, "\(name)")
      #expect(try masks(name, NetworkOptions(head: .cut)) == cut, "\(name)")
      #expect(try masks(name, NetworkOptions(dropout: 0)) == 0, "\(name)")
      #expect(try masks(name, NetworkOptions(), training: false) == 0, "\(name)")
    }
  }
}
