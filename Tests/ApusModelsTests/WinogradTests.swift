import ApusModels
import ApusOneDNN
import ApusRuntime
import ApusTestSupport
import Testing

@Suite("Networks in Winograd's tiles", .serialized)
struct WinogradTests {
  @Test(
    "classify as with direct convolutions",
    arguments: ["resnet34-deep-mish", "vgg16-cut", "googlenet", "densenet121"])
  func logits(name: String) throws {
    let row = try #require(ZooTests.rows.first { $0.name == name })
    let images = try row.images(batch: 3, height: 64, width: 64)
    let graph = try row.graph(images: images.shape)
    let parameters = PreparedParameters(try row.weights())
    func logits(exact: Bool) throws -> HostTensor {
      let backend = OneDNNBackend(.compiled, threads: 2, exact: exact)
      return try ApusModelsTests.logits(graph, images, parameters, on: backend)
    }
    let plan = try OneDNNBackend(.compiled, threads: 2).planDescription(of: graph)
    #expect(plan.contains(" by winograd"))
    let (tiled, direct) = (try logits(exact: false), try logits(exact: true))
    #expect(tiled.floats != direct.floats)
    #expect(difference(tiled, from: direct, within: Tolerance(relative: 1e-4)) == nil)
  }

  @Test("read images as they lie", arguments: ["resnet18", "resnet50", "vgg16"], [1, 8])
  func reorders(name: String, batch: Int) throws {
    let model = try #require(Catalogue.zoo.models.first { $0.name == name })
    let plan = try OneDNNBackend(.compiled, threads: 2)
      .planDescription(of: model.graph(batch: batch))
    let steps = plan.split(separator: "\n").filter { !$0.hasPrefix("prepare") }
    #expect(steps.filter { $0.contains(" by winograd") }.count >= 3)
    // The stem's blocks of channels, where a convolution of the library first wants them last.
    let reorders = steps.filter { $0.contains("= reorder(#") && !$0.contains(" plain ") }
    #expect(reorders.count <= 1, "\(reorders)")
  }
}
