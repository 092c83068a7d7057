import ApusIR
import ApusNN
import ApusOneDNN
import ApusPJRT
import ApusPasses
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

/// The device of the CPU plugin, where there is one.
private let xlaDevice = try? Device.open(DeviceName(platform: "cpu"))

@Suite("Training in narrower types")
struct MixedPrecisionTests {
  private static let batch = 8

  /// A step of a small network with everything that networks have.
  private func step(_ rule: UpdateRule, form: BatchNorm2D.Form = .plain) throws -> Graph {
    try trace(training: true) { scope in
      let images = scope.argument("images", .float32, [Self.batch, 3, 8, 8])
      let labels = scope.argument("labels", .int32, [Self.batch])
      let elu = ActivationFunction.elu()
      let stem = ConvUnit(
        Conv2D(scope["conv1"], 3, 16, kernel: 3),
        BatchNorm2D(scope["bn1"], 16, form: form), elu)
      let x = try MaxPool2D(kernel: 2, stride: 2)(stem(images))
      let unit = ConvUnit(
        Conv2D(scope["conv2"], 16, 16, kernel: 3, bias: false),
        BatchNorm2D(scope["bn2"], 16, form: form), .identity)
      let y = try scope.checkpoint { try elu(unit(x) + x) }
      let squeeze = SqueezeExcitation(
        reduce: scope["se1"], expand: scope["se2"], 16, squeezed: 4)
      let means = try globalAveragePool(Dropout(scope, rate: 0.1)(squeeze(y)))
      let logits = try Linear(scope["fc"], 16, 5)(means)
      let loss = try crossEntropy(logits, labels)
      try rule.minimize(loss, scope)
      return ["loss": loss]
    }
  }

  private func session(
    _ rule: UpdateRule, _ passes: [Pass], form: BatchNorm2D.Form = .plain,
    on backend: any Backend = ReferenceBackend()
  ) throws -> Session {
    let graph = try step(rule, form: form)
    let lowered = try Passes(passes + [.mergeCommon, .removeDead]).verified.run(graph)
    return Session(backend, ParameterStore(initializing: graph), seed: 5) { _ in lowered }
  }

  private func arguments(_ rate: Float = 0.05) -> [String: HostTensor] {
    var random = RandomTensors(seed: 11)
    return [
      "images": random.tensor([Self.batch, 3, 8, 8]),
      "labels": HostTensor(
        TensorType(.int32, [Self.batch]), rounding: (0..<Self.batch).map { Double($0 % 5) }),
      "learning_rate": HostTensor([], [rate]),
    ]
  }

  private func losses(_ session: Session, steps: Int) throws -> [Double] {
    let arguments = arguments()
    return try (0..<steps).map { _ in
      try #require(session.run(arguments, batch: Self.batch)["loss"]).doubles[0]
    }
  }

  @Test(
    "follows the loss of float32",
    arguments: [DType.bfloat16, .float16], [BatchNorm2D.Form.plain, .inPlace])
  func curve(dtype: DType, form: BatchNorm2D.Form) throws {
    let plain = try UpdateRule(SGD(momentum: 0.9))
    let scaling = dtype == .float16 ? try LossScaling(initial: 1024) : nil
    let rule = try UpdateRule(SGD(momentum: 0.9), scaling: scaling)
    let expected = try losses(session(plain, [], form: form), steps: 12)
    #expect(expected[11] < 0.75 * expected[0])
    let tolerance = dtype == .float16 ? 0.01 : 0.06
    let mixed: [Pass] = [.mixPrecision(to: dtype)]
    let emulated = mixed + [.emulatePrecision(dtype)]
    for (passes, backend) in [
      (mixed, ReferenceBackend() as any Backend), (emulated, ReferenceBackend()),
      (emulated, OneDNNBackend(.compiled, threads: 2)),
    ] {
      let got = try losses(session(rule, passes, form: form, on: backend), steps: 12)
      for (got, expected) in zip(got, expected) {
        #expect((got - expected).magnitude <= tolerance * (expected + 0.1))
      }
      #expect(got != expected)
    }
  }

  @Test(
    "follows it on XLA, whose own types these are",
    .enabled(if: xlaDevice != nil, "no XLA plugin: looked for xla-cpu-pjrt; see scripts/xla"),
    arguments: [Precision.bfloat16, .float16])
  func xla(precision: Precision) throws {
    let expected = try losses(session(UpdateRule(SGD(momentum: 0.9)), []), steps: 8)
    let scaling = precision == .float16 ? try LossScaling(initial: 1024) : nil
    let rule = try UpdateRule(SGD(momentum: 0.9), scaling: scaling)
    let backend = XLABackend(try #require(xlaDevice), .compiled, precision: precision)
    let got = try losses(session(rule, [], on: backend), steps: 8)
    for (got, expected) in zip(got, expected) {
      #expect((got - expected).magnitude <= 0.06 * (expected + 0.1))
    }
    #expect(got != expected)
  }

  @Test("computes products narrow and keeps parameters, statistics and the optimiser wide")
  func types() throws {
    let graph = try step(UpdateRule(SGD(momentum: 0.9)))
    let mixed = try Passes([.mixPrecision(to: .bfloat16), .mergeCommon, .removeDead]).verified
      .run(graph)
    for node in mixed.nodes {
      switch node.op {
      case .convolution, .dot, .convolutionInputGradient, .convolutionFilterGradient, .pool:
        #expect(mixed[node.results[0]].dtype == .bfloat16, "\(node.op.name)")
      case .batchNormTraining:
        #expect(node.results.map { mixed[$0].dtype } == [.bfloat16, .float32, .float32])
      case .unary(.exp), .unary(.log):
        #expect(mixed[node.results[0]].dtype == .float32)
      default: break
      }
    }
    for (input, _) in mixed.inputs where input.path != nil {
      #expect(input.type.dtype != .bfloat16, "\(input.name)")
    }
    // No image passes through memory in float32.
    let wide = mixed.nodes.filter { node in
      guard let type = node.results.first.map({ mixed[$0] }), node.op != .convert(.float32) else {
        return false
      }
      if case .input = node.op { return false }
      return type.dtype == .float32 && type.rank == 4 && type.shape[0] == Self.batch
    }
    #expect(wide.map(\.op.name) == [])
    let emulated = try Passes([.mixPrecision(to: .bfloat16), .emulatePrecision(.bfloat16)])
      .verified.run(graph)
    for node in emulated.nodes where node.op != .convert(.bfloat16) {
      #expect(node.results.allSatisfy { emulated[$0].dtype != .bfloat16 })
    }
  }

  @Test("that overflows changes no bit but the factor, which is halved until steps are good")
  func overflow() throws {
    let scaling = try LossScaling(initial: 0x1p24, interval: 3)
    let rule = try UpdateRule(SGD(momentum: 0.9), scaling: scaling)
    let session = try session(rule, [.mixPrecision(to: .float16)])
    let factor = "optimizer.loss_scale"
    let arguments = arguments()
    var (before, scales) = (try session.updatedParameters, [1.0])
    var moved: [Bool] = []
    for _ in 0..<16 {
      _ = try session.run(arguments, batch: Self.batch)
      let after = try session.updatedParameters
      scales.append(try #require(after[factor]).doubles[0])
      let paths = after.paths.filter { $0 != factor && $0 != "optimizer.good_steps" }
      let changed = paths.filter { path in
        guard let old = before[path], let new = after[path] else { return true }
        return !old.isIdentical(to: new)
      }
      if scales[scales.count - 1] < scales[scales.count - 2] {
        #expect(changed == [])
        moved.append(false)
      } else {
        #expect(changed.contains("fc.weight") && changed.contains("bn1.running_mean"))
        moved.append(true)
      }
      before = after
    }
    #expect(moved.first == false && moved.contains(true))
    // After three good steps in succession it is doubled.
    let ratios = zip(scales.dropFirst(), scales).map { $0 / $1 }
    #expect(Set(ratios) == [0.5, 1, 2])
    let firstGood = try #require(moved.firstIndex(of: true))
    #expect(Array(ratios[firstGood..<firstGood + 3]) == [1, 1, 2])
  }

  @Test("or in float32 that is not finite leaves everything as it was, and is traced to its origin")
  func nonFinite() throws {
    let rule = try UpdateRule(SGD(momentum: 0.9), skipsNonFinite: true)
    let graph = try step(rule)
    let session = try session(rule, [], on: OneDNNBackend(.compiled, threads: 2))
    var arguments = arguments()
    _ = try session.run(arguments, batch: Self.batch)
    var state = try session.trainingState()
    let sound = try firstNonFinite(in: graph, from: state, arguments, on: ReferenceBackend())
    #expect(sound == nil)

    var pixels = try #require(arguments["images"]).floats
    pixels[77] = .nan
    arguments["images"] = HostTensor([Self.batch, 3, 8, 8], pixels)
    let loss = try #require(session.run(arguments, batch: Self.batch)["loss"]).floats[0]
    #expect(!loss.isFinite)
    let after = try session.updatedParameters
    for path in after.paths {
      #expect(try #require(after[path]).isIdentical(to: #require(state.parameters[path])))
    }
    for backend in [ReferenceBackend() as any Backend, OneDNNBackend(.compiled, threads: 2)] {
      let error = try firstNonFinite(in: graph, from: state, arguments, on: backend)
      #expect(error?.origin == .argument("images"))
    }

    arguments["images"] = self.arguments()["images"]
    var scale = try #require(state.parameters["bn2.weight"]).floats
    scale[3] = .infinity
    state.parameters["bn2.weight"] = HostTensor([16], scale)
    #expect(
      try firstNonFinite(in: graph, from: state, arguments, on: ReferenceBackend())?.origin
        == .parameter("bn2.weight"))
    scale[3] = 3e38
    state.parameters["bn2.weight"] = HostTensor([16], scale)
    let error = try #require(
      try firstNonFinite(in: graph, from: state, arguments, on: ReferenceBackend()))
    #expect(
      "\(error)".hasPrefix(
        "training: all numbers must be finite, got the first NaN or infinity in bn2: "
          + "batchNormTraining\n  hint: try a smaller learning rate"))
  }
}
