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
      ("rsenet34", "resnet34"), ("resnet18", "resnet18"), ("transformer", nil), ("", nil),
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
