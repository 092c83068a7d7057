import ApusIR
import ApusModels
import ApusOneDNN
import ApusRuntime
import Testing

@Suite("The zoo with fresh weights", .serialized)
struct FreshWeightsTests {
  /// The sides of small images that the networks take; the others take 64 pixels.
  static let sides = [
    "caffenet": 199, "nin": 67, "inception_v3": 75, "inception_v3_mx": 75, "lenet": 28, "mlp": 28,
  ]

  @Test(
    "gives finite logits that tell two images apart", arguments: Catalogue.zoo.models.map(\.name))
  func logits(name: String) throws {
    let model = try #require(Catalogue.zoo[name])
    let side = Self.sides[name] ?? 64
    // The large classifiers are alike, and most of the time goes into drawing their weights.
    let head: NetworkOptions.Head = name.hasPrefix("vgg") && name != "vgg16" ? .cut : .full
    let graph = try model.graph(batch: 2, imageSize: side, NetworkOptions(head: head))
    let images = TensorType(.float32, [2, model.input.channels, side, side])
    var random = RandomSource(seed: .random(in: .min ... .max), stream: "images")
    let seed = UInt64.random(in: .min ... .max)
    let store = ParameterStore(initializing: graph, seed: seed)
    let program = try OneDNNBackend(.compiled, threads: 2).compile(graph, PreparedParameters(store))
    let logits = try program.makeExecution().run([random.tensor(.normal, images)])[0]
    let values = logits.floats
    try #require(values.allSatisfy { $0.isFinite })
    let largest = values.map(\.magnitude).max() ?? 0
    let classes = logits.shape[1]
    let difference = zip(values[..<classes], values[classes...])
      .reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
    #expect(difference > 1e-3 * largest, "seed \(seed)")
  }
}
