import ApusIR
import ApusModels
import ApusPasses
import Testing

@Suite("Networks for another batch")
struct RebatchTests {
  @Test(
    "are, node by node, what tracing them at that batch gives",
    arguments: [
      "alexnet", "caffenet", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "mlp",
      "mobilenet_v2", "mobilenet_v3_large", "resnet18", "seresnext50_32x4d", "squeezenet1_1",
      "vgg16",
    ])
  func equal(name: String) throws {
    let model = try #require(Catalogue.zoo[name])
    // Pooling to a fixed size by matrix products is among them.
    for side in [model.imageSize, model.imageSize - 8] where name != "mlp" || side == 28 {
      let clean = Passes([.removeDead])
      let whole = try model.graph(batch: 6, imageSize: side)
      for batch in [1, 4] {
        let rebatched = try #require(whole.rebatched(to: batch))
        try rebatched.verify()
        #expect(try rebatched == clean.run(model.graph(batch: batch, imageSize: side)))
      }
    }
  }

  @Test("all of the catalogue have one")
  func all() throws {
    for model in Catalogue.zoo.models {
      let graph = try model.graph(batch: 4)
      #expect(graph.rebatched(to: 2) != nil, "\(model.name)")
    }
  }
}
