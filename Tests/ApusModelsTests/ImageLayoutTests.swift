import ApusModels
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTestSupport
import Testing

@Suite("Networks whose images lie in one layout throughout", .serialized)
struct ImageLayoutTests {
  @Test(
    "compute the same logits",
    arguments: [
      "resnet34-deep-mish", "squeezenet1_1", "googlenet", "densenet121", "mobilenet_v2",
      "seresnext50_32x4d",
    ], [1, 3])
  func logits(name: String, batch: Int) throws {
    let row = try #require(ZooTests.rows.first { $0.name == name })
    let images = try row.images(batch: batch, height: 64, width: 72)
    let graph = try row.graph(images: images.shape)
    let parameters = PreparedParameters(try row.weights())
    let expected = try ApusModelsTests.logits(
      graph, images, parameters, on: OneDNNBackend(.eager, threads: 2))
    for layout in [Layout.channelsLast, .blocked(16), .blocked(8)] {
      var backend = OneDNNBackend(.compiled, threads: 2)
      backend.images = layout
      let logits = try ApusModelsTests.logits(graph, images, parameters, on: backend)
      #expect(
        difference(logits, from: expected, within: Tolerance(relative: 1e-4)) == nil, "\(layout)")
    }
  }

  @Test(
    "copy nothing to concatenate one image's blocks of channels",
    arguments: ["squeezenet1_1", "densenet121", "inception_v3"])
  func concatenations(name: String) throws {
    let row = try #require(ZooTests.rows.first { $0.name == name })
    var backend = OneDNNBackend(.compiled, threads: 2)
    backend.images = .blocked(16)
    let plan = try backend.planDescription(of: row.graph(images: [1, 3, 96, 96]))
    #expect(plan.contains(" nChw16c ") && !plan.contains("concatenate"))
  }

  @Test(
    "need an arena hardly larger than what is in use at once",
    arguments: [
      ("squeezenet1_1", 1.05), ("googlenet", 1.05), ("mobilenet_v2", 1.05),
      ("seresnext50_32x4d", 1.05), ("inception_v3", 1.05), ("resnet34-deep-mish", 1.05),
      // Its growing concatenations leave gaps.
      ("densenet121", 1.1),
    ])
  func arena(name: String, most: Double) throws {
    let row = try #require(ZooTests.rows.first { $0.name == name })
    let parameters = PreparedParameters(try row.weights())
    for layout in [Layout.any, .blocked(16)] {
      var backend = OneDNNBackend(.compiled, threads: 2)
      backend.images = layout
      let graph = try row.graph(images: [2, 3, 96, 96])
      let arena = try #require(
        OneDNNBackend.arena(of: backend.compile(graph, parameters)))
      #expect(
        Double(arena.size) <= most * Double(arena.largestLive),
        "\(arena.size) bytes, \(arena.largestLive) in use")
    }
  }
}
