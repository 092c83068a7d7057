import ApusIR
import ApusModels
import ApusNN
import ApusTensor
import Testing

@Suite("The catalogue")
struct CatalogueTests {
  @Test(
    "suggests the nearest name, if one is near",
    arguments: [
      ("resnet5", "resnet50"), ("resnt50", "resnet50"), ("ResNet-50", "resnet50"),
      ("RESNET152", "resnet152"), ("resnet_18", "resnet18"),
      ("rsenet34", "resnet34"), ("resnet18", "resnet18"), ("transformer", nil),
      ("vgg15", "vgg11"), ("", nil),
      ("a much longer name than any network has", nil), ("50", nil),
    ])
  func nearest(name: String, expected: String?) {
    #expect(Catalogue.zoo.nearest(to: name) == expected)
  }

  @Test("knows networks by their exact names, with unique ones")
  func names() {
    let names = Catalogue.zoo.models.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.starts(with: ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]))
    #expect(Catalogue.zoo["resnet50"]?.imageSize == 224)
    #expect(Catalogue.zoo["ResNet50"] == nil)
    #expect(Catalogue([]).nearest(to: "resnet50") == nil)
  }

  @Test("gives each network the classes of its published weights, unless others are asked for")
  func classes() throws {
    func logits(_ model: Model, _ options: NetworkOptions = NetworkOptions()) throws -> Shape {
      let graph = try model.graph(batch: 2, options)
      return graph[graph.outputs[0].value].shape
    }
    for model in Catalogue.zoo.models {
      let expected = ["lenet", "mlp"].contains(model.name) ? 10 : 1000
      #expect(model.classes == expected)
      #expect(try model.resolved(NetworkOptions()).classes == expected)
      #expect(try logits(model) == [2, expected], "\(model.name)")
    }
    let digits = try #require(Catalogue.zoo["lenet"])
    #expect(try logits(digits, NetworkOptions(classes: 26)) == [2, 26])
    #expect(try logits(digits, NetworkOptions(classes: 1000)) == [2, 1000])
    var options = NetworkOptions()
    options.classes = 3
    #expect(try logits(digits, options) == [2, 3])
    #expect(throws: ModelError.self) { try digits.resolved(NetworkOptions(classes: 0)) }
  }

  @Test("prepares pictures as each network's published weights want them")
  func inputs() {
    let sizes = [
      "caffenet": 227, "squeezenet1_1": 227, "inception_v3": 299, "inception_v3_mx": 299,
      "efficientnet_b1": 240, "efficientnet_b2": 256, "efficientnet_b3": 288,
      "tf_efficientnet_b1": 240, "tf_efficientnet_b2": 260, "tf_efficientnet_b3": 300,
      "lenet": 28, "mlp": 28,
    ]
    for model in Catalogue.zoo.models {
      let (name, input) = (model.name, model.input)
      #expect(input.size == sizes[name] ?? 224, "\(name)")
      #expect((input.channels == 1) == ["lenet", "mlp"].contains(name))
      let isBicubic =
        name.contains("efficientnet")
        || ["seresnext50_32x4d", "mobilenetv3_large_100"].contains(name)
      #expect(input.interpolation == (isBicubic ? .bicubic : .bilinear), "\(name)")
      guard input.channels == 3 else { continue }
      // What becomes of pixels in 0...255.
      let expected: (mean: [Double], deviation: [Double])
      switch name {
      case "caffenet", "nin", "inception_bn", "resnext50_mx", "resnext101_mx",
        "resnext101_64x4d_mx":
        expected = ([123.68, 116.779, 103.939], [1, 1, 1])
      case "inception_v3_mx": expected = ([128, 128, 128], [128, 128, 128])
      case "inception_v3", "googlenet", "efficientnet_b1":
        expected = ([127.5, 127.5, 127.5], [127.5, 127.5, 127.5])
      case _ where name.hasSuffix("_v2") && name.hasPrefix("resnet"):
        expected = ([0, 0, 0], [1, 1, 1])
      default: expected = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
      }
      for (got, expected) in [
        (input.mean, expected.mean), (input.standardDeviation, expected.deviation),
      ] {
        #expect(zip(got, expected).allSatisfy { ($0 * 255 - $1).magnitude < 1e-9 }, "\(name)")
      }
    }
  }

  @Test("refuses options that a definition does not have, and values out of range")
  func options() throws {
    let resnet = try #require(Catalogue.zoo["resnet18"])
    #expect {
      try resnet.graph(batch: 1, NetworkOptions(order: .normBefore))
    } throws: {
      "\($0)" == "resnet18: must be built without the option order, which its definition does not"
        + " have; it has activation, branch-activation, checkpoint, head, norm, padding, stem,"
        + " zero-branch"
    }
    #expect {
      try resnet.graph(batch: 1, NetworkOptions(dropConnect: 1))
    } throws: { "\($0)" == "resnet18: drop-connect must be at least 0 and below 1, got 1.0" }
  }

  @Test("builds variants by options")
  func variants() throws {
    let resnet = try #require(Catalogue.zoo["resnet34"])
    #expect(try resnet.graph(batch: 1, NetworkOptions(stem: .deep)).parameterCount == 21_816_904)
    func activations(_ options: NetworkOptions) throws -> [Activation] {
      try resnet.graph(batch: 1, options).nodes.compactMap { node in
        if case .activation(let activation) = node.op { activation } else { nil }
      }
    }
    #expect(try activations(NetworkOptions()).count == 33)
    #expect(try Set(activations(NetworkOptions(activation: .mish))) == [.mish])
    #expect(try activations(NetworkOptions(activatesBranch: true)).count == 33 + 16)
    let same = try resnet.graph(batch: 1, NetworkOptions(padding: .same))
    let paddings = same.nodes.compactMap { node in
      if case .convolution(let convolution) = node.op { convolution.padding } else { nil }
    }
    // 224 pixels, kernel 7, stride 2: five pixels in all, the odd one below and right.
    #expect(paddings.first == Padding2D(top: 2, left: 2, bottom: 3, right: 3))
    #expect(same[same.outputs[0].value].shape == [1, 1000])
  }

  @Test("takes networks of others, which name the layer that an image is too small for")
  func ownNetwork() throws {
    let own = Model("MyNet", source: "none", input: ImageInput(size: 32)) { scope, options in
      SmallNetwork(scope, options.classes)
    }
    let catalogue = Catalogue(Catalogue.zoo.models + [own])
    #expect(catalogue.nearest(to: "mynet") == "MyNet")
    let graph = try #require(catalogue["MyNet"]).graph(
      batch: 2, NetworkOptions(classes: 7))
    #expect(graph[graph.outputs[0].value].shape == [2, 7])
    #expect {
      try own.graph(batch: 1, imageSize: 6)
    } throws: {
      "\($0)".hasPrefix(
        "features.3: convolution: the padded image must be at least as large as the kernel, got "
          + "image 4×4 with padding, kernel 5×5 with dilation")
    }
  }
}

private struct SmallNetwork: Layer {
  let first, second: Conv2D
  let head: Linear

  init(_ scope: Scope, _ classes: Int) {
    first = Conv2D(scope["features"][0], 3, 8, kernel: 3, padding: 0)
    second = Conv2D(scope["features"][3], 8, 8, kernel: 5, padding: 0)
    head = Linear(scope["head"], 8, classes)
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try head(globalAveragePool(second(relu(first(x)))))
  }
}
