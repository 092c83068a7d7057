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
