import ApusIR
import ApusModels
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

/// Expected logits are those of the definitions in `Fixtures/make_mx.py`, or timm's;
/// `Fixtures/mx/versions.txt` says which.
@Suite("The fine-tuner's gallery, EfficientNets and the legacy SE-ResNeXt")
struct GalleryTests {
  static let counts = [
    "caffenet": 60_965_224, "nin": 7_595_176, "inception_bn": 11_295_240,
    "inception_v3_mx": 23_834_568, "resnet18_v2": 11_691_950, "resnet34_v2": 21_800_110,
    "resnet50_v2": 25_549_486, "resnet101_v2": 44_541_614, "resnet152_v2": 60_185_262,
    "resnet200_v2": 64_666_286, "resnext50_mx": 25_028_910, "resnext101_mx": 44_177_710,
    "resnext101_64x4d_mx": 83_455_278, "legacy_seresnext50_32x4d": 27_559_896,
    "efficientnet_b0": 5_288_548, "efficientnet_b1": 7_794_184, "efficientnet_b2": 9_109_994,
    "efficientnet_b3": 12_233_232, "tf_efficientnet_b0": 5_288_548,
    "tf_efficientnet_b1": 7_794_184, "tf_efficientnet_b2": 9_109_994,
    "tf_efficientnet_b3": 12_233_232,
  ]
  static let names = counts.keys.sorted()

  @Test("have the published number of trained values", arguments: names)
  func parameterCount(name: String) throws {
    #expect(try model(name).graph(batch: 1).parameterCount == Self.counts[name])
  }

  @Test(
    "have timm's parameters: paths and shapes",
    arguments: [
      "legacy_seresnext50_32x4d", "efficientnet_b0", "efficientnet_b1", "efficientnet_b2",
      "efficientnet_b3",
    ])
  func parameters(name: String) throws {
    let text = try String(contentsOfFile: fixture("\(name)-parameters.txt"), encoding: .utf8)
    let expected = Set(text.split(separator: "\n").map(String.init))
    let twins = name.hasPrefix("efficientnet") ? [name, "tf_\(name)"] : [name]
    for twin in twins {
      let got = try model(twin).graph(batch: 1).inputs.compactMap { input, _ in
        input.path.map { "\($0) \(input.type.shape.map(String.init).joined(separator: "x"))" }
      }
      #expect(got.count == expected.count)
      #expect(Set(got) == expected)
    }
  }

  @Test("give the logits of an independent definition, at two sizes", arguments: names)
  func logits(name: String) throws {
    let model = try model(name)
    let odd = name == "caffenet" ? [221, 229] : [193, 257]
    let whole = images(name, size: model.imageSize)
    let part = upperLeft(images(name, size: odd[1]), odd)
    let parameters = PreparedParameters(
      try hashed(model.graph(batch: 1), normFactor: normFactor(name)))
    for (file, images) in [(name, whole), ("\(name)-\(odd[0])x\(odd[1])", part)] {
      let expected = try NumPyFile.read(fixture("\(file).npy"))
      let program = try OneDNNBackend(.compiled, threads: 2).compile(
        model.graph(images: images.shape), parameters)
      let got = try program.makeExecution().run([images])[0]
      let wrong = difference(got, from: expected, within: Tolerance(relative: 1e-4))
      #expect(wrong == nil, "\(file)")
    }
  }

  @Test(
    "are the same compiled, eager and in the reference",
    arguments: [
      ("caffenet", 199, NetworkOptions.Head.cut), ("nin", 83, .cut), ("nin", 67, .full),
      ("inception_bn", 47, .full), ("inception_v3_mx", 75, .full), ("resnet18_v2", 33, .full),
      ("resnet34_v2", 31, .full), ("resnet50_v2", 40, .full), ("resnet101_v2", 33, .full),
      ("resnet152_v2", 17, .full), ("resnet200_v2", 17, .full), ("resnext50_mx", 33, .full),
      ("resnext101_mx", 17, .full), ("resnext101_64x4d_mx", 17, .full),
      ("legacy_seresnext50_32x4d", 39, .full), ("efficientnet_b0", 47, .full),
      ("efficientnet_b1", 33, .full), ("efficientnet_b2", 31, .full),
      ("efficientnet_b3", 32, .full), ("tf_efficientnet_b0", 33, .full),
      ("tf_efficientnet_b1", 46, .full), ("tf_efficientnet_b2", 31, .full),
      ("tf_efficientnet_b3", 33, .full),
    ])
  func executions(name: String, size: Int, head: NetworkOptions.Head) throws {
    let graph = try model(name).graph(
      batch: 1, imageSize: size, NetworkOptions(classes: 10, head: head))
    let store = try hashed(graph, normFactor: normFactor(name))
    let images = images(name, size: size)
    func run(_ backend: any Backend) throws -> HostTensor {
      try backend.compile(graph, PreparedParameters(store)).makeExecution().run([images])[0]
    }
    let expected = try run(ReferenceBackend())
    for mode in [Planner.Mode.eager, .compiled] {
      let got = try run(OneDNNBackend(mode, threads: 2))
      let wrong = difference(got, from: expected, within: Tolerance(relative: 1e-4))
      #expect(wrong == nil, "\(mode)")
    }
  }

  @Test(
    "have the published shapes inside",
    arguments: [
      ("caffenet", "conv2", [1, 256, 27, 27]), ("caffenet", "conv5", [1, 256, 13, 13]),
      ("nin", "conv2", [1, 256, 27, 27]), ("nin", "cccp8_1024", [1, 1000, 6, 6]),
      ("inception_bn", "conv_2", [1, 192, 55, 55]),
      ("inception_bn", "conv_3a_1x1", [1, 64, 27, 27]),
      ("inception_bn", "conv_3b_1x1", [1, 64, 27, 27]),
      ("inception_bn", "conv_4a_1x1", [1, 224, 14, 14]),
      ("inception_bn", "conv_5b_proj", [1, 128, 7, 7]),
      ("inception_v3_mx", "mixed.conv.conv2d", [1, 64, 35, 35]),
      ("inception_v3_mx", "mixed_4.conv.conv2d", [1, 192, 17, 17]),
      ("inception_v3_mx", "mixed_10.conv.conv2d", [1, 320, 8, 8]),
      ("resnet18_v2", "stage1.unit1.sc", [1, 64, 56, 56]),
      ("resnet50_v2", "conv0", [1, 64, 112, 112]),
      ("resnet50_v2", "stage1.unit3.conv3", [1, 256, 56, 56]),
      ("resnet50_v2", "stage2.unit1.conv1", [1, 128, 56, 56]),
      ("resnet50_v2", "stage2.unit1.conv2", [1, 128, 28, 28]),
      ("resnet200_v2", "stage2.unit24.conv3", [1, 512, 28, 28]),
      ("resnet200_v2", "stage3.unit36.conv3", [1, 1024, 14, 14]),
      ("resnet200_v2", "stage4.unit3.conv3", [1, 2048, 7, 7]),
      ("resnext101_64x4d_mx", "stage4.unit3.conv2", [1, 2048, 7, 7]),
      ("legacy_seresnext50_32x4d", "layer1.0.conv1", [1, 128, 56, 56]),
      ("tf_efficientnet_b3", "blocks.6.1.conv_pwl", [1, 384, 10, 10]),
    ])
  func innerShapes(name: String, layer: String, shape: [Int]) throws {
    let graph = try model(name).graph(batch: 1)
    let filter = try #require(graph.inputs.first { $0.input.path == "\(layer).weight" })
    let convolution = try #require(graph.nodes.first { $0.operands.contains(filter.value) })
    #expect(convolution.op.name == "convolution")
    #expect(graph[convolution.results[0]].shape == Shape(shape))
  }

  @Test("cut the head at the first flattening")
  func cutHeads() throws {
    func count(_ name: String, _ classes: Int, _ head: NetworkOptions.Head) throws -> Int {
      try model(name).graph(batch: 1, NetworkOptions(classes: classes, head: head)).parameterCount
    }
    // CaffeNet loses fc6, fc7 and fc8; NIN gains a layer over its 1000 channels.
    let classifiers = 9216 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    #expect(try count("caffenet", 20, .cut) == 60_965_224 - classifiers + 9216 * 20 + 20)
    #expect(try count("nin", 20, .cut) == 7_595_176 + 1000 * 20 + 20)
    #expect(try count("nin", 20, .full) == 7_595_176 - 980 * 1025)
    for name in ["inception_bn", "resnet50_v2", "efficientnet_b0"] {
      #expect(try count(name, 20, .cut) == count(name, 20, .full))
    }
  }

  @Test("fix the scales that MXNet fixes, but declare them")
  func fixedScales() throws {
    func read(_ name: String, _ path: String) throws -> Bool {
      let graph = try model(name).graph(batch: 1)
      let input = try #require(graph.inputs.first { $0.input.path == path })
      return graph.nodes.contains { $0.operands.contains(input.value) }
    }
    #expect(try !read("resnet50_v2", "bn_data.weight"))
    #expect(try read("resnet50_v2", "bn_data.bias"))
    #expect(try read("resnet50_v2", "bn0.weight"))
    #expect(try !read("inception_v3_mx", "mixed_9.tower.mixed_conv_1.batchnorm.weight"))
    #expect(try read("inception_bn", "bn_3a_1x1.weight"))
  }

  @Test(
    "have the published epsilon in every normalisation",
    arguments: [
      ("inception_bn", 1.00001e-5, 69), ("inception_v3_mx", 1e-3, 94), ("resnet50_v2", 2e-5, 51),
      ("resnext50_mx", 2e-5, 54), ("legacy_seresnext50_32x4d", 1e-5, 53),
      ("efficientnet_b0", 1e-5, 49), ("tf_efficientnet_b0", 1e-3, 49),
    ])
  func epsilons(name: String, epsilon: Double, count: Int) throws {
    let epsilons = try model(name).graph(batch: 1).nodes.compactMap { node in
      if case .batchNorm(let norm) = node.op { norm.epsilon } else { nil }
    }
    #expect(epsilons == [Double](repeating: epsilon, count: count))
  }

  @Test("take the options of an EfficientNet, each of which does something")
  func efficientNetOptions() throws {
    func graph(_ name: String, _ options: NetworkOptions, training: Bool = false) throws -> Graph {
      try model(name).graph(batch: 2, imageSize: 64, options, training: training)
    }
    func draws(_ graph: Graph) -> Int {
      graph.inputs.count { if case .random = $0.input.role { true } else { false } }
    }
    func activations(_ graph: Graph, _ wanted: Activation) -> Int {
      graph.nodes.count { $0.op == .activation(wanted) }
    }
    let plain = NetworkOptions()
    #expect(try draws(graph("tf_efficientnet_b0", plain)) == 0)
    #expect(try draws(graph("efficientnet_b0", plain, training: true)) == 0)
    // Nine blocks have a shortcut; one more draw is before the classifier.
    #expect(try draws(graph("tf_efficientnet_b0", plain, training: true)) == 10)
    let options = NetworkOptions(dropout: 0, dropConnect: 0.5)
    #expect(try draws(graph("efficientnet_b0", options, training: true)) == 9)
    let relu = try graph("efficientnet_b0", NetworkOptions(activation: .relu))
    let swish = try graph("efficientnet_b0", plain)
    #expect(activations(relu, .swish) == 0)
    #expect(activations(relu, .relu) == activations(swish, .swish))
    #expect(activations(relu, .relu) == 2 + 15 + 16 + 16)
    let same = try graph("efficientnet_b0", NetworkOptions(padding: .same))
    #expect(same != swish)
    #expect(try graph("tf_efficientnet_b0", NetworkOptions(padding: .same)) != same)  // eps
  }

  @Test("have as many nodes as layers need, the largest too")
  func nodes() throws {
    // Units of three normalisations and activations (5 parameters and states, 2 nodes), three
    // convolutions (2 nodes) and a sum; four shortcuts; the image's normalisation, whose scale is a
    // constant besides; stem, pooling; the last normalisation and activation; then the mean, two
    // parameters, a dot product, a broadcast and a sum; the images.
    let units = 3 + 24 + 36 + 3
    let graph = try model("resnet200_v2").graph(batch: 1)
    #expect(graph.nodes.count == units * (3 * 6 + 3 * 2 + 1) + 4 * 2 + 6 + (2 + 6 + 1) + 6 + 6 + 1)
    try graph.verify()
  }

  @Test("name the layer that an image is too small or too large for")
  func smallImages() throws {
    #expect {
      try model("caffenet").graph(batch: 1, imageSize: 9)
    } throws: { "\($0)".hasPrefix("conv1: convolution: the padded image must be at least") }
    for size in [198, 231] {
      #expect {
        try model("caffenet").graph(batch: 1, imageSize: size)
      } throws: { error in
        let hint =
          size < 199
          ? "hint: the smallest image that caffenet takes is 199×199"
          : "hint: caffenet takes images of 199×199 to 230×230"
        return "\(error)".hasPrefix("fc6: dot: ") && "\(error)".hasSuffix(hint)
      }
    }
    for size in [199, 230] {
      #expect(try model("caffenet").graph(batch: 1, imageSize: size).outputs.count == 1)
    }
    #expect {
      try model("inception_v3_mx").graph(batch: 1, imageSize: 40)
    } throws: { "\($0)".hasPrefix("mixed_3.conv.conv2d: convolution: ") }
  }
}

/// Every parameter of a graph, hashed from its path; normalisation weights are multiplied.
private func hashed(_ graph: Graph, normFactor: Float) throws -> ParameterStore {
  var store = ParameterStore()
  for (input, _) in graph.inputs {
    guard let path = input.path else { continue }
    let shape = input.type.shape
    if normFactor != 1 && shape.rank == 1 && path.hasSuffix("weight") {
      let values = HashedWeights.values(path: path, shape: shape).map { $0 * normFactor }
      store[path] = HostTensor(shape, values)
    } else {
      store[path] = HashedWeights.tensor(path: path, shape: shape)
    }
  }
  return store
}

/// As `NORM_FACTORS` in `make_mx.py`.
private func normFactor(_ name: String) -> Float {
  name.contains("efficientnet") || name == "inception_bn" ? 2 : 1
}

/// One image, as bright as `IMAGE_FACTORS` in `make_mx.py` says.
private func images(_ name: String, size: Int) -> HostTensor {
  let images = HashedWeights.images(batch: 1, size: size)
  return name == "caffenet" ? HostTensor(images.shape, images.floats.map { $0 * 32 }) : images
}

private func fixture(_ name: String) throws -> String {
  try #require(Bundle.module.path(forResource: "Fixtures/mx/\(name)", ofType: nil))
}

/// The upper left part of one image.
private func upperLeft(_ image: HostTensor, _ size: [Int]) -> HostTensor {
  let side = image.shape[2]
  let values = image.floats
  let rows = (0..<3 * size[0]).flatMap { index in
    let start = (index / size[0] * side + index % size[0]) * side
    return values[start..<start + size[1]]
  }
  return HostTensor(Shape([1, 3] + size), rows)
}
