import ApusIR
import ApusModels
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTestSupport
import Testing

/// Networks with a twin in torchvision or timm, or an independent definition in
/// `Fixtures/make_zoo.py`; counts are those of the papers' published weights.
@Suite("The zoo", .serialized)
struct ZooTests {
  static let rows: [NetworkRow] = [
    NetworkRow("alexnet", parameters: 61_100_840, reduced: 64),
    NetworkRow("vgg11", parameters: 132_863_336, reduced: 32),
    NetworkRow("vgg13", parameters: 133_047_848, reduced: 32),
    NetworkRow("vgg16", parameters: 138_357_544, reduced: 32),
    NetworkRow("vgg16_bn", parameters: 138_365_992, normFactor: 2, reduced: 32),
    NetworkRow("vgg19", parameters: 143_667_240, reduced: 32),
    NetworkRow(
      "vgg16_bn-pre-swish", of: "vgg16_bn",
      NetworkOptions(activation: .swish, order: .normBefore), parameters: 138_365_992,
      odd: false, normFactor: 2, reduced: 32),
    NetworkRow(
      "vgg16-cut", of: "vgg16", NetworkOptions(classes: 10, head: .cut),
      parameters: 14_714_688 + 250_890, reduced: 32),
    NetworkRow("squeezenet1_1", parameters: 1_235_496, reduced: 33),
    NetworkRow(
      "squeezenet1_1-cut", of: "squeezenet1_1", NetworkOptions(classes: 10, head: .cut),
      parameters: 1_235_496 + 10_010, odd: false, reduced: 34),
    NetworkRow("googlenet", parameters: 6_624_904, normFactor: 2, reduced: 33),
    NetworkRow("inception_v3", parameters: 23_834_568, normFactor: 2, reduced: 75),
    NetworkRow("densenet121", parameters: 7_978_856, reduced: 33),
    NetworkRow("densenet169", parameters: 14_149_480, reduced: 33),
    NetworkRow("mobilenet_v2", parameters: 3_504_872, normFactor: 2, reduced: 33),
    NetworkRow("mobilenet_v3_large", parameters: 5_483_032, normFactor: 2, reduced: 33),
    NetworkRow(
      "mobilenetv2_100", of: "mobilenet_v2", naming: .timm, parameters: 3_504_872,
      normFactor: 2, reduced: 33),
    NetworkRow(
      "mobilenetv3_large_100", naming: .timm, parameters: 5_483_032, normFactor: 1.5,
      reduced: 33),
    NetworkRow(
      "vgg16-timm", of: "vgg16", naming: .timm, parameters: 138_357_544, odd: false, reduced: 32),
    NetworkRow("lenet", parameters: 431_080, odd: false, reduced: 28),
    NetworkRow("mlp", parameters: 109_386, odd: false, reduced: 28),
    NetworkRow("resnext50_32x4d", parameters: 25_028_904, reduced: 33),
    NetworkRow("resnext101_32x8d", parameters: 88_791_336, reduced: 17),
    NetworkRow("resnext101_64x4d", parameters: 83_455_272, reduced: 17),
    NetworkRow("seresnext50_32x4d", parameters: 27_559_896, reduced: 33),
    NetworkRow(
      "resnet34-deep", of: "resnet34", NetworkOptions(stem: .deep), parameters: 21_816_904,
      reduced: 33),
    NetworkRow(
      "resnet34-deep-leaky-relu", of: "resnet34",
      NetworkOptions(activation: .leakyRelu(slope: 0.01), stem: .deep),
      parameters: 21_816_904, odd: false, reduced: 33),
    NetworkRow(
      "resnet34-deep-mish", of: "resnet34", NetworkOptions(activation: .mish, stem: .deep),
      parameters: 21_816_904, odd: false, normFactor: 2, reduced: 33),
  ]

  /// The same without most of their large classifiers, on which the slow reference would spend most
  /// of its time.
  ///
  /// Other names of the same weights change nothing here.
  static let reducedRows = rows.filter { !["mobilenetv2_100", "vgg16-timm"].contains($0.name) }
    .map { row in
      row.parameterCount > 130_000_000 && row.name != "vgg16" ? row.withCutHead() : row
    }

  @Test("has the published numbers of trained values, paths, shapes and order", arguments: rows)
  func parameters(row: NetworkRow) throws {
    let graph = try row.graph()
    try graph.verify()
    #expect(graph.parameterCount == row.parameterCount)
    let got = try row.parameters().map { parameter in
      "\(parameter.name) \(parameter.shape.map(String.init).joined(separator: "x"))"
    }
    #expect(got == (try row.expectedParameters()))
  }

  @Test("is compared with an independent definition, all of it")
  func coverage() {
    let compared = Self.rows.map(\.model) + GalleryTests.names + ResNetTests.names
    #expect(Set(compared) == Set(Catalogue.zoo.models.map(\.name)))
  }

  @Test("classifies as the twins do, at its own size and an odd one", arguments: rows)
  func logits(row: NetworkRow) throws {
    let parameters = PreparedParameters(try row.weights())
    let backend = OneDNNBackend(.compiled, threads: 2)
    let side = try row.definition.imageSize
    let images = try row.images(batch: 2, height: side, width: side)
    let both = try ApusModelsTests.logits(
      row.graph(images: images.shape), images, parameters, on: backend)
    expectEqual(firstRow(both), try row.expectedLogits("b1"))
    #expect(relativeDistance(both) >= 0.01)
    guard row.takesOddSize else { return }
    let odd = try row.images(batch: 1, height: 193, width: 257)
    let got = try ApusModelsTests.logits(
      row.graph(images: odd.shape), odd, parameters, on: backend)
    expectEqual(got, try row.expectedLogits("193x257"))
  }

  @Test(
    "gives the reference's logits in both executions, at a reduced size",
    arguments: reducedRows)
  func reference(row: NetworkRow) throws {
    let parameters = PreparedParameters(try row.weights())
    let side = row.reducedSize
    let images = try row.images(batch: 2, height: side, width: side)
    let single = try row.images(batch: 1, height: side, width: side)
    // A batch of one for the slow reference, which the batch of two contains.
    let expected = try ApusModelsTests.logits(
      row.graph(images: single.shape), single, parameters, on: ReferenceBackend())
    for mode in [Planner.Mode.eager, .compiled] {
      let got = try ApusModelsTests.logits(
        row.graph(images: images.shape), images, parameters,
        on: OneDNNBackend(mode, threads: 2, verifies: true))
      expectEqual(firstRow(got), expected)
    }
  }

  private func expectEqual(_ got: HostTensor, _ expected: HostTensor) {
    #expect(expected.floats.allSatisfy { $0.isFinite })
    #expect(difference(got, from: expected, within: Tolerance(relative: 1e-4)) == nil)
  }

  /// The largest difference of two images' logits, relative to the largest logit.
  private func relativeDistance(_ logits: HostTensor) -> Float {
    let (values, classes) = (logits.floats, logits.shape[1])
    let largest = values.map(\.magnitude).max() ?? 0
    return zip(values[..<classes], values[classes...])
      .reduce(0) { max($0, ($1.0 - $1.1).magnitude) } / largest
  }
}
