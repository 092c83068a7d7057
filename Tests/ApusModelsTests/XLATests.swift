import ApusIR
import ApusModels
import ApusOneDNN
import ApusPJRT
import ApusRuntime
import ApusTestSupport
import Testing

/// The device of the CPU plugin, where there is one.
private let xlaDevice = try? Device.open(DeviceName(platform: "cpu"))

@Suite(
  "Every network of the zoo on XLA", .serialized,
  .enabled(if: xlaDevice != nil, "no XLA plugin: looked for xla-cpu-pjrt; see scripts/xla"))
struct XLATests {
  private static let names = Catalogue.zoo.models.map(\.name)

  @Test("gives oneDNN's logits at a reduced size", arguments: names)
  func reduced(name: String) throws {
    try expectEqualLogits(name, .compiled)
  }

  @Test(
    "gives oneDNN's logits at full size",
    arguments: ["inception_v3", "efficientnet_b0", "seresnext50_32x4d"])
  func full(name: String) throws {
    try expectEqualLogits(name, side: Catalogue.zoo[name]?.imageSize, .compiled)
  }

  @Test(
    "gives oneDNN's logits node by node",
    arguments: ["squeezenet1_1", "lenet", "caffenet", "densenet121"])
  func eager(name: String) throws {
    try expectEqualLogits(name, .eager)
  }

  @Test(
    "gives nearly those logits in 16 bits",
    arguments: ["resnet18", "squeezenet1_1", "resnet18_v2"],
    [Precision.bfloat16, .float16])
  func narrow(name: String, precision: Precision) throws {
    try expectEqualLogits(
      name, .compiled, precision, tolerance: precision == .bfloat16 ? 0.1 : 0.02)
  }

  private func expectEqualLogits(
    _ name: String, side: Int? = nil, _ mode: XLABackend.Mode, _ precision: Precision = .float32,
    tolerance: Double = 1e-4
  ) throws {
    let model = try #require(Catalogue.zoo[name])
    var options = NetworkOptions()
    // Large classifiers would take most of the time.
    if model.options.contains(.head), try model.graph(batch: 1).parameterCount > 100_000_000 {
      options.head = .cut
    }
    let graph = try smallGraph(model, options, side: side)
    let parameters = PreparedParameters(ParameterStore(initializing: graph))
    let input = try #require(graph.inputs.first { $0.input.path == nil })
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let images = random.tensor(input.input.type.shape, in: -2...2)
    let expected = try logits(
      graph, images, parameters, on: OneDNNBackend(.compiled, threads: 2))
    // The machine code's own optimisation takes much of the time and changes no meaning.
    let flags = CompileOptions(flags: ["xla_backend_optimization_level": .int64(0)])
    let backend = XLABackend(
      try #require(xlaDevice), mode, precision: precision, options: flags, verifies: true)
    let got = try logits(graph, images, parameters, on: backend)
    let rows = expected.floats.prefix(expected.shape[1])
    #expect(!rows.elementsEqual(expected.floats.suffix(expected.shape[1])))
    #expect(difference(got, from: expected, within: Tolerance(relative: tolerance)) == nil)
  }

  /// Two images of the given size, or of one of the smallest that the network takes.
  private func smallGraph(
    _ model: Model, _ options: NetworkOptions, side: Int?
  ) throws -> Graph {
    for side in side.map({ [$0] }) ?? [28, 33, 64, 75, 128, 200] {
      if let graph = try? model.graph(batch: 2, imageSize: side, options) { return graph }
    }
    return try model.graph(batch: 2, options)
  }

  private func logits(
    _ graph: Graph, _ images: HostTensor, _ parameters: PreparedParameters, on backend: any Backend
  ) throws -> HostTensor {
    let execution = try backend.compile(graph, parameters).makeExecution()
    return try execution.run([images])[0]
  }
}
