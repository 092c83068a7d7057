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
}
