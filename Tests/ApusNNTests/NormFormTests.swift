import ApusIR
import ApusNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Forms of batch norm")
struct NormFormTests {
  private func graph(_ form: BatchNorm2D.Form, training: Bool = false) throws -> Graph {
    try trace(training: training) { scope in
      let x = scope.argument("x", .float32, [4, 3, 2, 2])
      let norm = BatchNorm2D(scope["bn"], 3, epsilon: 1e-2, form: form)
      return ["y": try norm(x, .leakyRelu())]
    }
  }

  private func weights(_ scale: [Float]) -> ParameterStore {
    var store = ParameterStore()
    store["bn.weight"] = HostTensor([3], scale)
    store["bn.bias"] = HostTensor([3], [0.5, -0.25, 0.125])
    store["bn.running_mean"] = HostTensor([3], [0.1, -0.2, 0.3])
    store["bn.running_var"] = HostTensor([3], [0.5, 1.5, 2.5])
    return store
  }

  private func results(_ graph: Graph, _ store: ParameterStore) throws -> HostTensor {
    var random = RandomTensors(seed: 21)
    let x = random.tensor([4, 3, 2, 2])
    let inputs = try graph.inputs.map { input, _ in
      try input.path.map { try #require(store[$0]) } ?? x
    }
    let index = try #require(graph.outputs.firstIndex { $0.role == .result("y") })
    return try graph.evaluate(inputs)[index]
  }

  @Test("The activated ones multiply by |γ| + ε, and so does a plain one of exported scales")
  func exported() throws {
    let store = weights([-0.5, 0, 2])
    for training in [false, true] {
      let expected = try results(graph(.activated, training: training), store)
      let inPlace = try results(graph(.inPlace, training: training), store)
      #expect(distance(inPlace, expected) < 1e-5)
      let plain = try graph(.plain, training: training)
      let fitted = try BatchNorm2D.Form.plain.fitted(
        store, from: .inPlace, to: plain, file: "w.safetensors")
      #expect(try #require(fitted["bn.weight"]).floats == [0.51, 0.01, 2.01])
      #expect(try distance(results(plain, fitted), expected) < 1e-5)
      #expect(try distance(results(plain, store), expected) > 1e-2)
    }
  }

  @Test("Negative scales of plain batch norms are refused, those of its own kind are not")
  func negative() throws {
    let store = weights([1, -0.5, 2])
    let graph = try graph(.inPlace)
    for form in [BatchNorm2D.Form.activated, .inPlace] {
      #expect {
        try form.fitted(store, from: .plain, to: graph, file: "w.pth")
      } throws: {
        "\($0)"
          == "w.pth: bn.weight: norm \(form.rawValue) multiplies by |weight| + epsilon, so that"
          + " weights of a plain batch norm must not be negative, got -0.5 in element 1\n  hint: use"
          + " norm bn, or weights that were trained with this norm"
      }
      let own = try form.fitted(store, from: .inPlace, to: graph, file: "w.safetensors")
      #expect(own["bn.weight"]?.floats == [1, -0.5, 2])
      let positive = weights([1, 0, 2])
      let fitted = try form.fitted(positive, from: .plain, to: graph, file: "w.pth")
      #expect(fitted["bn.weight"]?.floats == [1, 0, 2])
    }
  }

  @Test("A saved training records its norm")
  func recorded() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/state.safetensors"
    let state = TrainingState(
      parameters: weights([1, -0.5, 2]), random: RandomSource(seed: 1),
      norm: BatchNorm2D.Form.inPlace.rawValue)
    try state.write(to: file)
    #expect(try BatchNorm2D.Form(recordedIn: WeightFile(path: file).metadata) == .inPlace)
    #expect(try TrainingState(path: file, matching: graph(.inPlace)).norm == "inplace-abn")
    #expect(BatchNorm2D.Form(recordedIn: [:]) == .plain)
  }

  @Test("Training on one value of a channel is an error that names the layer")
  func oneValue() throws {
    for form in BatchNorm2D.Form.allCases {
      #expect {
        try trace(training: true) { scope in
          let x = scope.argument("x", .float32, [1, 3, 1, 1])
          return ["y": try BatchNorm2D(scope["layer"]["bn"], 3, form: form)(x)]
        }
      } throws: {
        "\($0)".hasPrefix(
          "layer.bn: batchNormTraining: training must see more than one value of each channel, got "
            + "[1, 3, 1, 1]") && "\($0)".contains("hint: train on a larger batch or larger images")
      }
    }
  }

  @Test("The slope at γ = 0 is 1 times the sum, so that the scale can leave it")
  func slope() throws {
    let store = weights([0, 0, 0])
    func gradient(_ form: BatchNorm2D.Form) throws -> HostTensor {
      let graph = try trace(training: true) { scope in
        let x = scope.argument("x", .float32, [4, 3, 2, 2])
        let y = try BatchNorm2D(scope["bn"], 3, epsilon: 1e-2, form: form)(x)
        try UpdateRule(SGD()).minimize(
          (y * x).sum(0, 1, 2, 3), scope, learningRate: y.filled(with: -1).mean(0, 1, 2, 3))
        return [:]
      }
      let index = try #require(graph.outputs.firstIndex { $0.role == .update("bn.weight") })
      var random = RandomTensors(seed: 23)
      let x = random.tensor([4, 3, 2, 2])
      return try graph.evaluate(
        graph.inputs.map { input, _ in
          if let path = input.path, let value = store[path] { return value }
          return input.path == nil
            ? x : HostTensor(input.type, rounding: [Double](repeating: 0, count: 1))
        })[index]
    }
    let activated = try gradient(.activated)
    #expect(activated.doubles.allSatisfy { $0 != 0 })
    #expect(try distance(activated, gradient(.inPlace)) < 1e-3)
  }

  private func distance(_ a: HostTensor, _ b: HostTensor) -> Double {
    zip(a.doubles, b.doubles).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }
}
