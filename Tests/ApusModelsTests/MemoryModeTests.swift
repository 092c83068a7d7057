import ApusIR
import ApusModels
import ApusNN
import ApusOneDNN
import ApusPJRT
import ApusPasses
import ApusReference
import ApusRuntime
import ApusTestSupport
import Testing

/// The device of the CPU plugin, where there is one.
private let xlaDevice = try? Device.open(DeviceName(platform: "cpu"))

/// Two ways to compute the same function, of which the second keeps less.
struct MemoryMode: Sendable, CustomTestStringConvertible {
  let model: String
  var plain, saving: NetworkOptions
  let size: Int

  init(_ model: String, _ plain: NetworkOptions, _ saving: NetworkOptions, size: Int = 33) {
    (self.model, self.size) = (model, size)
    (self.plain, self.saving) = (plain, saving)
    self.plain.classes = 10
    self.saving.classes = 10
  }

  var testDescription: String {
    "\(model), \(saving.norm.rawValue), \(saving.activation.map(\.description) ?? "own"), "
      + (saving.checkpoint?.rawValue ?? "own segments")
  }

  /// Of networks that are not too rough for float32: nothing that bends, statistics of many values,
  /// and images of whose maxima none is so close to the next that rounding exchanges them.
  static let smooth = [
    MemoryMode(
      "resnet18", NetworkOptions(activation: .swish),
      NetworkOptions(activation: .swish, checkpoint: .stages), size: 64),
    MemoryMode(
      "resnet18", NetworkOptions(activation: .elu(), norm: .activated),
      NetworkOptions(activation: .elu(), norm: .inPlace), size: 64),
    MemoryMode(
      "resnet18", NetworkOptions(activation: .elu(), norm: .activated),
      NetworkOptions(activation: .elu(), norm: .inPlace, checkpoint: .sqrt), size: 64),
    MemoryMode(
      "vgg16_bn", NetworkOptions(head: .cut, activation: .elu(), norm: .activated),
      NetworkOptions(head: .cut, activation: .elu(), norm: .inPlace, checkpoint: .stages),
      size: 80),
    MemoryMode(
      "resnet18", NetworkOptions(activation: .naiveMish), NetworkOptions(activation: .mish),
      size: 64),
    MemoryMode(
      "resnet18", NetworkOptions(activation: .naiveSwish), NetworkOptions(activation: .swish),
      size: 64),
  ]
}

@Suite("What saves memory in training", .serialized)
struct MemoryModeTests {
  @Test(
    "changes no bit of any gradient or statistic where it only computes again",
    arguments: [
      ("resnet18", NetworkOptions.Checkpoint.sqrt, 17),
      ("tf_efficientnet_b0", .stages, 32), ("squeezenet1_1", .stages, 25),
    ])
  func sameBits(model: String, checkpoint: NetworkOptions.Checkpoint, size: Int) throws {
    let plain = try GradientStep(model, NetworkOptions(classes: 10), batch: 2, size: size).graph
    let saving = try GradientStep(
      model, NetworkOptions(classes: 10, checkpoint: checkpoint), batch: 2, size: size
    ).graph
    #expect(saving.outputs.map(\.role) == plain.outputs.map(\.role))
    let inputs = GradientStep.inputs(plain)
    let (results, expected) = (try saving.evaluate(inputs), try plain.evaluate(inputs))
    #expect(zip(results, expected).allSatisfy { $0.isIdentical(to: $1) })
  }

  @Test(
    "gives the plain gradients in float64",
    arguments: [
      MemoryMode(
        "resnet18", NetworkOptions(activation: .leakyRelu(), norm: .activated),
        NetworkOptions(norm: .inPlace)),
      MemoryMode(
        "resnet18_v2", NetworkOptions(activation: .leakyRelu(), norm: .activated),
        NetworkOptions(norm: .inPlace, checkpoint: .sqrt)),
    ])
  func exact(mode: MemoryMode) throws {
    let graphs = try [mode.plain, mode.saving].map {
      try GradientStep(mode.model, $0, batch: 2, size: mode.size).graph.inFloat64()
    }
    let inputs = GradientStep.inputs(graphs[0])
    try expectClose(
      graphs[1].evaluate(inputs), graphs[0].evaluate(inputs), graphs[0], within: 1e-8)
  }

  @Test("gives the plain gradients on oneDNN", arguments: MemoryMode.smooth)
  func cpu(mode: MemoryMode) throws {
    try expectSame(mode, on: OneDNNBackend(.compiled, threads: 2))
  }

  @Test(
    "gives them on XLA",
    .enabled(if: xlaDevice != nil, "no XLA plugin: looked for xla-cpu-pjrt; see scripts/xla"),
    arguments: [0, 2, 4].map { MemoryMode.smooth[$0] })
  func xla(mode: MemoryMode) throws {
    try expectSame(mode, on: XLABackend(#require(xlaDevice), .compiled))
  }

  private func expectSame(_ mode: MemoryMode, on backend: any Backend) throws {
    let graphs = try [mode.plain, mode.saving].map {
      try GradientStep(mode.model, $0, batch: 4, size: mode.size).graph
    }
    let inputs = GradientStep.inputs(graphs[0])
    #expect(graphs[1].inputs.map(\.input) == graphs[0].inputs.map(\.input))
    try expectClose(
      GradientStep.results(graphs[1], inputs, on: backend),
      GradientStep.results(graphs[0], inputs, on: backend), graphs[0], within: 1e-3)
  }

  @Test("applies to every network that has it: segments, statistics updated once")
  func segments() throws {
    for model in Catalogue.zoo.models where model.options.contains(.checkpoint) {
      let side = model.name.hasPrefix("inception_v3") ? 107 : min(model.imageSize, 64)
      func graph(_ checkpoint: NetworkOptions.Checkpoint) throws -> Graph {
        let size = model.name == "caffenet" ? 227 : side
        return try GradientStep(
          model.name, NetworkOptions(checkpoint: checkpoint), batch: 2, size: size
        ).graph
      }
      let plain = try graph(.none)
      for checkpoint in [NetworkOptions.Checkpoint.stages, .sqrt] {
        let graph = try graph(checkpoint)
        try graph.verify()
        #expect(graph.updatedPaths == plain.updatedPaths, "\(model.name)")
        let barriers = graph.nodes.count { $0.op == .barrier }
        #expect(barriers >= 1, "\(model.name) \(checkpoint)")
      }
    }
  }

  @Test("norms of every network take the form that is asked for, and keep their parameters")
  func forms() throws {
    for model in Catalogue.zoo.models where model.options.contains(.norm) {
      let side = model.name.hasPrefix("inception_v3") ? 107 : 64
      func graph(_ norm: NetworkOptions.Norm, training: Bool = true) throws -> Graph {
        try model.graph(
          batch: 2, imageSize: side, NetworkOptions(norm: norm), training: training)
      }
      func counts(_ graph: Graph) -> [Int] {
        ["batchNormTraining", "activatedBatchNorm", "batchNorm"].map { name in
          graph.nodes.count { $0.op.name == name }
        }
      }
      let (plain, inPlace) = (try graph(.plain), try graph(.inPlace))
      // That of the raw images stays as it is.
      let ofImages = plain.inputs.count { $0.input.path == "bn_data.weight" }
      #expect(counts(inPlace) == [ofImages, counts(plain)[0] - ofImages, 0], "\(model.name)")
      #expect(try counts(graph(.activated)) == counts(plain))
      #expect(inPlace.inputs.map(\.input) == plain.inputs.map(\.input))
      // Scales made of parameters are folded into convolutions just as well.
      let folded = try [NetworkOptions.Norm.plain, .inPlace].map {
        try counts(Passes.inference.run(graph($0, training: false)))
      }
      #expect(folded[0] == folded[1], "\(model.name)")
    }
  }

  @Test("makes the segments that networks have stages, and as many as the root of their units")
  func counts() throws {
    func barriers(_ name: String, _ checkpoint: NetworkOptions.Checkpoint?) throws -> Int {
      try GradientStep(name, NetworkOptions(checkpoint: checkpoint), batch: 2, size: 64)
        .graph.nodes.count { $0.op == .barrier }
    }
    // Of the last segment all is kept.
    #expect(try barriers("resnet50", .stages) == 4)
    #expect(try barriers("vgg16_bn", .stages) == 4)
    #expect(try barriers("resnet50", nil) == 0)
    // Eighteen units: the stem's two and sixteen blocks.
    #expect(try barriers("resnet50", .sqrt) == 3)
    #expect(try barriers("resnet200_v2", nil) == 11)
    #expect(try barriers("resnet200_v2", NetworkOptions.Checkpoint.none) == 0)
  }

  @Test("is refused where it cannot be, by name")
  func refusals() throws {
    func message(_ name: String, _ options: NetworkOptions) throws -> String {
      let model = try #require(Catalogue.zoo[name])
      do {
        _ = try model.graph(batch: 2, options, training: true)
        return ""
      } catch { return "\(error)" }
    }
    #expect(
      try message("resnet50", NetworkOptions(activation: .relu, norm: .inPlace))
        == "resnet50: norm inplace-abn must have an activation that can be inverted (leaky-relu,"
        + " elu or identity), got relu\n  hint: leave the activation out for leaky-relu, or use"
        + " norm abn")
    #expect(
      try message("resnet50", NetworkOptions(activation: .naiveMish, norm: .inPlace))
        .contains("got naive-mish"))
    #expect(
      try message("vgg16", NetworkOptions(norm: .activated)).hasPrefix(
        "vgg16: must be built without the option norm, which its definition does not have"))
  }
}
