import ApusModels
import Foundation
import Testing

@Suite struct WeightMapTests {
  /// Names and shapes that `Fixtures/make_names.py` wrote.
  private func list(_ name: String) throws -> [(name: String, shape: String)] {
    let url = try #require(
      Bundle.module.url(forResource: "Fixtures/names/\(name)", withExtension: "txt"))
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map {
      let parts = $0.split(separator: " ", omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
  }

  private func parameters(_ name: String) throws -> [(name: String, shape: String)] {
    try list(name).filter { !$0.name.hasSuffix("num_batches_tracked") }
  }

  @Test(
    "Both spellings of EfficientNet name the same weights",
    arguments: ["efficientnet_b0", "efficientnet_b3"])
  func efficientNet(name: String) throws {
    let timm = try parameters("\(name)-timm")
    let torchvision = try parameters("\(name)-torchvision")
    let paths = timm.map(\.name)
    let shapes = Dictionary(uniqueKeysWithValues: timm.map { ($0.name, $0.shape) })
    let map = WeightMap(detecting: torchvision.map(\.name), paths: paths)
    #expect(map.naming == .torchvision)
    #expect(Set(paths.map(map.name(of:))) == Set(torchvision.map(\.name)))
    for (name, shape) in torchvision {
      let path = try #require(map.path(of: name))
      #expect(shapes[path] == shape && map.name(of: path) == name)
      // The parts of a normalisation have one shape.
      #expect(path.split(separator: ".").last == name.split(separator: ".").last)
    }
    // The order of definition is the same.
    func weights(_ list: [String]) -> [String] {
      list.filter { $0.hasSuffix(".weight") && $0.contains("block") && !$0.contains(".se.") }
    }
    #expect(weights(torchvision.compactMap { map.path(of: $0.name) }) == weights(paths))
    let counters = try list("\(name)-torchvision").map(\.name)
      .filter { $0.hasSuffix("num_batches_tracked") }
    #expect(Set(paths.compactMap(map.batchCounter(after:))) == Set(counters))
    #expect(counters.allSatisfy(map.ignores))
  }

  @Test("A network's own spelling is recognised")
  func ownSpelling() throws {
    let paths = try parameters("efficientnet_b0-timm").map(\.name)
    let map = WeightMap(detecting: paths, paths: paths)
    #expect(map.naming == .timm && paths.allSatisfy { map.path(of: $0) == $0 })
    let resnet = ["conv1.weight", "bn1.weight", "bn1.running_var", "fc.bias"]
    #expect(WeightMap(detecting: resnet, paths: resnet).naming == .torchvision)
  }

  /// Paths of a network as MXNet's gallery has them, and their names there.
  private static let gallery = [
    ("bn_data.weight", "arg:bn_data_gamma"), ("bn_data.bias", "arg:bn_data_beta"),
    ("bn_data.running_mean", "aux:bn_data_moving_mean"),
    ("bn_data.running_var", "aux:bn_data_moving_var"), ("conv0.weight", "arg:conv0_weight"),
    ("stage1.unit1.bn1.weight", "arg:stage1_unit1_bn1_gamma"),
    ("stage1.unit1.bn1.bias", "arg:stage1_unit1_bn1_beta"),
    ("stage1.unit1.bn1.running_mean", "aux:stage1_unit1_bn1_moving_mean"),
    ("stage1.unit1.bn1.running_var", "aux:stage1_unit1_bn1_moving_var"),
    ("stage1.unit1.conv1.weight", "arg:stage1_unit1_conv1_weight"),
    ("stage1.unit1.sc.weight", "arg:stage1_unit1_sc_weight"),
    ("stage1.unit1.sc_bn.weight", "arg:stage1_unit1_sc_bn_gamma"),
    ("stage1.unit1.sc_bn.running_mean", "aux:stage1_unit1_sc_bn_moving_mean"),
    ("mixed_4.tower_1.conv_2.conv2d.weight", "arg:mixed_4_tower_1_conv_2_conv2d_weight"),
    ("conv_3a_3x3_reduce.bias", "arg:conv_3a_3x3_reduce_bias"),
    ("fc1.weight", "arg:fc1_weight"), ("fc1.bias", "arg:fc1_bias"),
  ]

  @Test("MXNet's names of symbols, with and without prefixes, and of blocks are understood")
  func mxnet() {
    let paths = Self.gallery.map(\.0)
    let symbol = Self.gallery.map(\.1)
    let bare = symbol.map { String($0.dropFirst(4)) }
    // A Gluon block has the dots of the paths, and only two of MXNet's own names.
    var blocks: [String] = []
    for (path, name) in zip(paths, symbol) {
      var parts = path.split(separator: ".").map(String.init)
      if name.hasSuffix("_gamma") { parts[parts.count - 1] = "gamma" }
      if name.hasSuffix("_beta") { parts[parts.count - 1] = "beta" }
      blocks.append(parts.joined(separator: "."))
    }
    for names in [symbol, bare, blocks] {
      let map = WeightMap(detecting: names, paths: paths)
      #expect(map.naming == .mxnet)
      for (name, path) in zip(names, paths) { #expect(map.path(of: name) == path) }
    }
    let map = WeightMap(detecting: symbol, paths: paths)
    #expect(map.naming == .mxnet && paths.map(map.name(of:)) == symbol)
    #expect(map.path(of: "arg:fc2_weight") == nil && map.path(of: "fc1") == nil)
    #expect(paths.allSatisfy { map.batchCounter(after: $0) == nil })
  }

  @Test("VGG's layers have Caffe's names in MXNet")
  func vgg() {
    let names = [
      0: "conv1_1", 2: "conv1_2", 5: "conv2_1", 7: "conv2_2", 10: "conv3_1", 12: "conv3_2",
      14: "conv3_3", 17: "conv4_1", 19: "conv4_2", 21: "conv4_3", 24: "conv5_1", 26: "conv5_2",
      28: "conv5_3",
    ]
    var expected = names.map { ("features.\($0.key)", $0.value) }
    expected += [("classifier.0", "fc6"), ("classifier.3", "fc7"), ("classifier.6", "fc8")]
    let paths = expected.flatMap { ["\($0.0).weight", "\($0.0).bias"] }.shuffled()
    let map = WeightMap(
      detecting: expected.flatMap { ["arg:\($0.1)_weight", "arg:\($0.1)_bias"] }, paths: paths)
    #expect(map.naming == .mxnet)
    for (layer, name) in expected {
      #expect(map.path(of: "arg:\(name)_weight") == "\(layer).weight")
      #expect(map.name(of: "\(layer).bias") == "arg:\(name)_bias")
      // Gluon numbers the layers of a chain.
      #expect(map.path(of: "\(layer).weight") == "\(layer).weight")
    }
  }

  @Test(
    "timm's names of MobileNets and VGG are understood",
    arguments: [
      ("mobilenetv2_100", "mobilenet_v2"), ("mobilenetv3_large_100", "mobilenet_v3_large"),
      ("mobilenetv3_large_100", "mobilenetv3_large_100"), ("vgg16-timm", "vgg16"),
    ])
  func timm(list: String, network: String) throws {
    let file = try #require(
      Bundle.module.path(forResource: "Fixtures/parameters/\(list).txt", ofType: nil))
    let names = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      .map { String($0.prefix { $0 != " " }) }
    let paths = try self.paths(of: network)
    let map = WeightMap(detecting: names.shuffled(), paths: paths)
    #expect(map.naming == .timm && paths.map(map.name(of:)) == names)
    #expect(Set(names.compactMap(map.path(of:))) == Set(paths))
    #expect(WeightMap(detecting: paths, paths: paths).naming == .torchvision)
    let counters = names.filter { $0.hasSuffix("running_var") }
      .map { $0.replacing("running_var", with: "num_batches_tracked") }
    #expect(
      paths.compactMap(map.batchCounter(after:)) == counters && counters.allSatisfy(map.ignores))
  }

  @Test("timm's fully connected layers that are convolutions keep the order of their values")
  func kernels() throws {
    let vgg = WeightMap(.timm, paths: try paths(of: "vgg16"))
    #expect(vgg.shape([4096, 25_088], of: "classifier.0.weight") == [4096, 512, 7, 7])
    #expect(vgg.shape([4096, 4096], of: "classifier.3.weight") == [4096, 4096, 1, 1])
    #expect(vgg.shape([1000, 4096], of: "classifier.6.weight") == [1000, 4096])
    #expect(vgg.shape([4096], of: "classifier.0.bias") == [4096])
    #expect(vgg.shape([4096, 50], of: "classifier.0.weight") == [4096, 50])
    let mobileNet = WeightMap(.timm, paths: try paths(of: "mobilenet_v3_large"))
    #expect(mobileNet.shape([1280, 960], of: "classifier.0.weight") == [1280, 960, 1, 1])
    for naming in [WeightMap.Naming.torchvision, .mxnet] {
      let map = WeightMap(naming, paths: try paths(of: "vgg16"))
      #expect(map.shape([4096, 25_088], of: "classifier.0.weight") == [4096, 25_088])
    }
  }

  /// Layers in the order of their definition: path, Caffe's name, the place among Gluon's blocks
  /// and the name in Gluon's numbered files.
  private static let chains:
    [String: [(path: String, caffe: String, block: String, number: String)]] =
      [
        "alexnet": [
          ("features.0", "conv1", "features.0", "conv0"),
          ("features.3", "conv2", "features.2", "conv1"),
          ("features.6", "conv3", "features.4", "conv2"),
          ("features.8", "conv4", "features.5", "conv3"),
          ("features.10", "conv5", "features.6", "conv4"),
          ("classifier.1", "fc6", "features.9", "dense0"),
          ("classifier.4", "fc7", "features.11", "dense1"),
          ("classifier.6", "fc8", "output", "dense2"),
        ],
        "squeezenet1_1": [("features.0", "conv1", "features.0", "conv0")]
          + [3, 4, 6, 7, 9, 10, 11, 12].enumerated().flatMap { index, position in
            let (place, fire, first) = ("features.\(position)", "fire\(index + 2)", 1 + 3 * index)
            return [
              ("\(place).squeeze", "\(fire)_squeeze1x1", "\(place).0.0", "conv\(first)"),
              ("\(place).expand1x1", "\(fire)_expand1x1", "\(place).1.0.0", "conv\(first + 1)"),
              ("\(place).expand3x3", "\(fire)_expand3x3", "\(place).1.1.0", "conv\(first + 2)"),
            ]
          } + [("classifier.1", "conv10", "output.0", "conv25")],
        "vgg11": [
          ("features.0", "conv1_1", "features.0", "conv0"),
          ("features.3", "conv2_1", "features.3", "conv1"),
          ("features.6", "conv3_1", "features.6", "conv2"),
          ("features.8", "conv3_2", "features.8", "conv3"),
          ("features.11", "conv4_1", "features.11", "conv4"),
          ("features.13", "conv4_2", "features.13", "conv5"),
          ("features.16", "conv5_1", "features.16", "conv6"),
          ("features.18", "conv5_2", "features.18", "conv7"),
          ("classifier.0", "fc6", "features.21", "dense0"),
          ("classifier.3", "fc7", "features.23", "dense1"),
          ("classifier.6", "fc8", "output", "dense2"),
        ],
      ]

  @Test(
    "Caffe's and Gluon's names of AlexNet, SqueezeNet and VGG are understood in MXNet's files",
    arguments: ["alexnet", "squeezenet1_1", "vgg11"])
  func chains(network: String) throws {
    let layers = try #require(Self.chains[network])
    let paths = try self.paths(of: network)
    #expect(layers.flatMap { ["\($0.path).weight", "\($0.path).bias"] } == paths)
    func names(_ layer: (String) -> String) -> [String] {
      ["weight", "bias"].map(layer)
    }
    let spellings = [
      layers.flatMap { layer in names { "arg:\(layer.caffe)_\($0)" } },
      layers.flatMap { layer in names { "\(layer.caffe)_\($0)" } },
      layers.flatMap { layer in names { "\(layer.block).\($0)" } },
      layers.flatMap { layer in names { "\(layer.number)_\($0)" } },
      layers.flatMap { layer in names { "arg:\(network)0_\(layer.number)_\($0)" } },
    ]
    for (index, names) in spellings.enumerated() {
      let map = WeightMap(detecting: names.shuffled(), paths: paths)
      #expect(map.naming == .mxnet && names.map(map.path(of:)) == paths, "spelling \(index)")
    }
    #expect(paths.map(WeightMap(.mxnet, paths: paths).name(of:)) == spellings[0])
  }

  @Test("A normalised VGG has MXNet's names, and a cut one keeps its convolutions'")
  func variantsOfVGG() throws {
    let normalized = WeightMap(.mxnet, paths: try paths(of: "vgg16_bn"))
    for (path, name) in [
      ("features.0.weight", "arg:conv1_1_weight"), ("features.1.weight", "arg:bn1_1_gamma"),
      ("features.4.running_var", "aux:bn1_2_moving_var"),
      ("features.40.bias", "arg:conv5_3_bias"), ("features.41.bias", "arg:bn5_3_beta"),
      ("classifier.6.weight", "arg:fc8_weight"),
    ] { #expect(normalized.name(of: path) == name && normalized.path(of: name) == path) }
    // Gluon's dense layers follow 44 others.
    let blocks = try paths(of: "vgg16_bn").map { path in
      let places = ["classifier.0": "features.44", "classifier.3": "features.46"]
      let place = places.first { path.hasPrefix($0.key) }
      return place.map { path.replacing($0.key, with: $0.value) }
        ?? path.replacing("classifier.6", with: "output")
    }
    let map = WeightMap(detecting: blocks, paths: try paths(of: "vgg16_bn"))
    #expect(map.naming == .mxnet && map.path(of: "features.46.bias") == "classifier.3.bias")
    let cut = WeightMap(.mxnet, paths: try paths(of: "vgg16", NetworkOptions(head: .cut)))
    #expect(cut.name(of: "features.28.bias") == "arg:conv5_3_bias")
    #expect(cut.name(of: "fc.weight") == "arg:fc_weight")
  }

  private func paths(
    of name: String, _ options: NetworkOptions = NetworkOptions()
  ) throws -> [String] {
    let graph = try #require(Catalogue.zoo[name]).graph(batch: 1, options)
    return graph.inputs.compactMap(\.input.path)
  }

  @Test("DenseNet's old keys are understood")
  func denseNet() {
    let layer = "features.denseblock1.denselayer2"
    let paths = ["norm1.weight", "conv1.weight", "norm2.running_mean", "conv2.weight"]
      .map { "\(layer).\($0)" }
    let names = ["norm.1.weight", "conv.1.weight", "norm.2.running_mean", "conv.2.weight"]
      .map { "\(layer).\($0)" }
    let map = WeightMap(detecting: names, paths: paths)
    #expect(map.naming == .torchvision && names.map(map.path(of:)) == paths)
    #expect(paths.map(map.name(of:)) == paths)
  }

  @Test("Auxiliary heads are ignored in networks that have them in training, and nowhere else")
  func auxiliary() {
    let inception = WeightMap(.torchvision, paths: ["Mixed_5b.branch1x1.conv.weight"])
    #expect(inception.ignores("AuxLogits.conv0.conv.weight") && !inception.ignores("aux1.x"))
    let googLeNet = WeightMap(.torchvision, paths: ["inception3a.branch1.conv.weight"])
    #expect(googLeNet.ignores("aux1.conv.bn.bias") && googLeNet.ignores("aux2.fc1.weight"))
    let resnet = WeightMap(.torchvision, paths: ["conv1.weight"])
    #expect(!resnet.ignores("aux1.conv.bn.bias") && !resnet.ignores("AuxLogits.fc.weight"))
    #expect(resnet.ignores("bn1.num_batches_tracked") && !resnet.ignores("fc.weight"))
  }
}
