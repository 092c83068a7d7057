import ApusAutodiff
import ApusIR
import ApusOneDNN
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Training on oneDNN")
struct TrainingTests {
  /// The gradients of everything that goes through convolutions, norms and poolings. Nothing that
  /// bends comes after a rounding.
  private func graph(_ activation: Activation, channels: Int) throws -> Graph {
    var results: [(name: String, value: Value)] = []
    var graph = try trace(training: true) { scope in
      let x = scope.argument("x", .float32, [3, channels, 15, 14])
      let pooled = try maxPool(x, kernel: 3, stride: 2, padding: 1)  // [3, c, 8, 7]
      let filter = scope.parameter("filter", [3 * channels, channels, 3, 3], .heNormal)
      let scale = scope.parameter("scale", [3 * channels], .ones)
      let offset = scope.parameter("offset", [3 * channels], .zeros)
      let wide = try convolution(pooled, filter, Convolution(padding: Padding2D(1)))
      let normed = try batchNormTraining(wide, scale: scale, offset: offset, epsilon: 1e-3).y
      let grouped = scope.parameter("grouped", [2 * channels, 3 * channels / 4, 3, 3], .heNormal)
      let narrow = try convolution(
        normed.activated(activation), grouped,
        Convolution(
          stride: Size2D(2), padding: Padding2D(top: 1, left: 0, bottom: 2, right: 1), groups: 4))
      let means = try averagePool(narrow, kernel: 2, stride: 1)
      let inPlace = try activatedBatchNorm(
        means, scale: scope.parameter("second.scale", [2 * channels], .ones),
        offset: scope.parameter("second.offset", [2 * channels], .zeros),
        ActivatedBatchNorm(epsilon: 1e-3, activation: .elu(alpha: 1))
      ).y
      let last = try convolution(
        inPlace, scope.parameter("last", [channels, 2 * channels, 1, 1], .heNormal),
        bias: scope.parameter("bias", [channels], .zeros), Convolution())
      let y = try localResponseNorm(last, LocalResponseNorm(alpha: 0.5))
      let loss = try (y * y).sum(0, 1, 2, 3)
      let parameters = parametersSoFar(loss)
      let values = try gradients(of: loss, withRespectTo: [x] + parameters.map(\.tensor))
      results = zip(["x"] + parameters.map(\.name), values).map { ($0, $1.value) }
      return ["loss": loss]
    }
    for (name, value) in results { graph.output(.result("d \(name)"), value) }
    return graph
  }

  @Test(
    "gives the reference's gradients",
    arguments: [Activation.swish, .mish, .elu(alpha: 1), .tanh, .sigmoid], [5 * 4, 32])
  func reference(activation: Activation, channels: Int) throws {
    try expectReferenceResults(
      graph(activation, channels: channels), within: Tolerance(relative: 2e-4, absolute: 1e-5))
  }

  @Test("leaves no convolution, norm, pooling or activation to the reference", arguments: modes)
  func kernels(mode: OneDNNBackend.Mode) throws {
    let graph = try graph(.swish, channels: 32)
    var store = ParameterStore()
    for ((input, _), value) in zip(graph.inputs, randomInputs(graph, seed: 1)) {
      if let path = input.path { store[path] = value }
    }
    let profiler = try OneDNNBackend(mode, threads: 2)
      .profiler(for: graph, PreparedParameters(store))
    let steps = profiler.steps.filter { step in
      [.convolution, .pooling, .normalization].contains(step.kind) || step.name == "swishGradient"
    }
    #expect(steps.count > 12)
    for step in steps {
      #expect(step.implementation != "reference", "\(step.name)")
    }
    // That of the loss; the gradient of the bias comes with that of the filters.
    let sums = profiler.steps.count { $0.name == "sum" }
    #expect(sums == (mode == .compiled ? 1 : 2))
  }
}

/// The parameters of the graph that a tensor is in.
private func parametersSoFar(_ tensor: Tensor) -> [(name: String, tensor: Tensor)] {
  tensor.builder.graph.inputs.compactMap { input, value in
    if case .parameter(let path) = input.role {
      (path, Tensor(tensor.builder, value))
    } else {
      nil
    }
  }
}
