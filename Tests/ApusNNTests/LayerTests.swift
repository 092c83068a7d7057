import ApusIR
import ApusNN
import ApusOneDNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

/// Numbers that both sides make: `[(i * step % 101) / 25 - 2 for i in range(n)]` in Python.
func sequence(_ shape: Shape, step: Int) -> HostTensor {
  HostTensor(shape, (0..<shape.elementCount).map { Float($0 * step % 101) / 25 - 2 })
}

let backends: [any Backend] = [
  ReferenceBackend(), OneDNNBackend(.eager, threads: 2), OneDNNBackend(.compiled, threads: 2),
]

/// Expected values are those of PyTorch 2.13.0 (CPU, float64): `Conv2d(4, 6, 3, stride=2, padding=1,
/// dilation=2, groups=2)` and two calls of `BatchNorm2d(3, eps=1e-3, momentum=0.2).train()` on
/// ``sequence(_:step:)``.
@Suite("Layers")
struct LayerTests {
  @Test("Conv2D is PyTorch's, with stride, padding, dilation, groups and bias", arguments: 0..<3)
  func convolution(backend: Int) throws {
    var store = ParameterStore()
    store["c.weight"] = sequence([6, 2, 3, 3], step: 37)
    store["c.bias"] = sequence([6], step: 53)
    let session = Session(backends[backend], store) { batch in
      try trace { scope in
        let layer = Conv2D(
          scope["c"], 4, 6, kernel: 3, stride: 2, padding: 1, dilation: 2, groups: 2)
        return ["y": try layer(scope.argument("x", .float32, [batch, 4, 7, 6]))]
      }
    }
    let y = try session.run(["x": sequence([1, 4, 7, 6], step: 29)], batch: 1)["y"]
    let expected = HostTensor(
      [1, 6, 3, 2],
      [
        -5.4848, -0.4848, -0.0288, -0.6496, 0.904, -6.0704, 2.7984, -3.0608, -4.9216, -1.5184,
        -3.6016, 2.4704, -4.2704, 4.2208, -1.5728, -1.256, 1.4272, -0.3008, 4.9552, -3.7088, 0.5024,
        0.56, 1.0144, -0.064, -2.2704, -2.8032, -3.0096, -4.6208, -0.416, -3.0704, -1.0928, 2.304,
        -2.8048, -0.1056, 0.0928, 4.104,
      ])
    #expect(difference(try #require(y), from: expected, within: .accumulation) == nil)
  }

  @Test("Linear is x · weightᵀ + bias", arguments: 0..<3)
  func linear(backend: Int) throws {
    var store = ParameterStore()
    store["weight"] = HostTensor([2, 3], [1, 2, 3, -1, 0.5, 4])
    store["bias"] = HostTensor([2], [10, 20])
    let session = Session(backends[backend], store) { batch in
      try trace { scope in
        let x = scope.argument("x", .float32, [batch, 3])
        return ["y": try Linear(scope, 3, 2)(x), "z": try Linear(scope["z"], 3, 1, bias: false)(x)]
      }
    }
    #expect(throws: BackendError.self) { try session.prepare(batch: 2) }
    store["z.weight"] = HostTensor([1, 3], [1, 1, -1])
    let complete = Session(backends[backend], store) { batch in
      try trace { scope in
        let x = scope.argument("x", .float32, [batch, 3])
        return ["y": try Linear(scope, 3, 2)(x), "z": try Linear(scope["z"], 3, 1, bias: false)(x)]
      }
    }
    let x = HostTensor([2, 3], [1, 1, 1, 2, -1, 0.5])
    let results = try complete.run(["x": x], batch: 2)
    #expect(results["y"]?.floats == [16, 23.5, 11.5, 19.5])
    #expect(results["z"]?.floats == [1, 0.5])
  }

  @Test("BatchNorm2D in training uses the batch and moves the running statistics", arguments: 0..<3)
  func training(backend: Int) throws {
    var store = ParameterStore()
    store["bn.weight"] = HostTensor([3], [0.5, 1.5, -1])
    store["bn.bias"] = HostTensor([3], [0.1, -0.2, 0.3])
    store["bn.running_mean"] = HostTensor([3], [0, 0, 0])
    store["bn.running_var"] = HostTensor([3], [1, 1, 1])
    let session = Session(backends[backend], store) { batch in
      try trace(training: true) { scope in
        let layer = BatchNorm2D(scope["bn"], 3, epsilon: 1e-3, momentum: 0.2)
        let x = scope.argument("x", .float32, [batch, 3, 2, 2])
        return ["y": try layer(x)]
      }
    }
    let near = Tolerance(relative: 0, absolute: 5e-6)
    let runs: [(step: Int, y: [Float])] = [
      (
        37,
        [
          -0.597305, 0.088417, 0.774139, -0.411975, -0.888038, 1.169127, -2.389213, -0.332048,
          -1.397749, 0.743255, -0.494513, 1.646491, 0.144016, 0.829738, -0.356376, 0.329346,
          1.335924, -2.222416, -0.165251, 1.891915, 0.642895, -0.594873, 1.546131, 0.308363,
        ]
      ),
      (
        53,
        [
          -0.619814, 0.247235, -0.538017, 0.329032, -2.359441, 0.241704, -2.11405, 0.487095,
          0.984169, -0.949748, 0.801724, -1.132193, -0.129032, 0.738017, -0.047235, 0.819814,
          -0.887095, 1.71405, -0.641704, 1.959441, -0.110501, 1.640971, -0.292946, 1.458526,
        ]
      ),
    ]
    for (step, y) in runs {
      let results = try session.run(["x": sequence([2, 3, 2, 2], step: step)], batch: 2)
      let expected = HostTensor([2, 3, 2, 2], y)
      #expect(difference(try #require(results["y"]), from: expected, within: near) == nil)
    }
    let mean = HostTensor([3], [-0.1272, 0.092, -0.1332])
    let variance = HostTensor([3], [1.1941623, 1.1941623, 1.1756937])
    let updated = try session.updatedParameters
    #expect(updated.paths.count == 4)
    let gotMean = try #require(updated["bn.running_mean"])
    let gotVariance = try #require(updated["bn.running_var"])
    #expect(difference(gotMean, from: mean, within: near) == nil)
    #expect(difference(gotVariance, from: variance, within: near) == nil)
  }

  @Test("BatchNorm2D in inference uses the running statistics and updates nothing")
  func inference() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [1, 2, 1, 1])
      return ["y": try BatchNorm2D(scope["bn"], 2)(x)]
    }
    #expect(graph.updatedPaths.isEmpty)
    #expect(graph.inputs.map(\.input.role).filter { $0 == .state("bn.running_var") }.count == 1)
    let inputs: [Float] = [3, 5, 2, 1, 0.5, -1, 1, 1, 4 - 1e-5, 1 - 1e-5]
    let tensors =
      [
        HostTensor([1, 2, 1, 1], Array(inputs[0..<2]))
      ] + stride(from: 2, to: 10, by: 2).map { HostTensor([2], Array(inputs[$0..<$0 + 2])) }
    let expected = HostTensor([1, 2, 1, 1], [2.5, 3])
    #expect(difference(try graph.evaluate(tensors)[0], from: expected, within: .elementwise) == nil)
  }

  @Test("A batch norm used twice in training fails: it has one set of running statistics")
  func sharedBatchNorm() {
    #expect {
      try trace(training: true) { scope in
        let layer = BatchNorm2D(scope["bn"], 2)
        return ["y": try layer(layer(scope.argument("x", .float32, [1, 2, 2, 2])))]
      }
    } throws: {
      "\($0)" == "bn: update: each update is given once, got a second \"bn.running_mean\""
    }
  }

  @Test("A layer given wrong channels is named by its path")
  func wrongChannels() {
    #expect {
      try trace { scope in
        let layer = Conv2D(scope["layer2"][0]["conv1"], 32, 8, kernel: 3)
        return ["y": try layer(scope.argument("x", .float32, [1, 64, 4, 4]))]
      }
    } throws: {
      "\($0)".hasPrefix("layer2.0.conv1: convolution: input channels must equal filter channels")
    }
    #expect {
      try trace { scope in
        ["y": try Linear(scope["fc"], 5, 2)(scope.argument("x", .float32, [1, 4]))]
      }
    } throws: { "\($0)".hasPrefix("fc: dot: the contracted extents must be equal, got 4 and 5") }
    #expect {
      try trace { scope in
        ["y": try BatchNorm2D(scope["bn"], 5)(scope.argument("x", .float32, [1, 4, 2, 2]))]
      }
    } throws: { "\($0)".hasPrefix("bn: batchNorm: scale, offset, mean and variance must be") }
    #expect {
      try trace { scope in
        ["y": try Conv2D(scope["c"], 4, 4, kernel: 0)(scope.argument("x", .float32, [1, 4, 2, 2]))]
      }
    } throws: { "\($0)".hasPrefix("c: input: every extent must be at least 1") }
    #expect {
      try trace { scope in
        let layer = Conv2D(scope["c"], 6, 6, kernel: 1, groups: 0)
        return ["y": try layer(scope.argument("x", .float32, [1, 6, 2, 2]))]
      }
    } throws: { "\($0)".hasPrefix("c: convolution: groups must be at least 1") }
  }

  @Test(
    "Sizes that no integer holds are errors, not traps", arguments: [1 << 40, Int.max, Int.min])
  func hugeSizes(size: Int) {
    for (kernel, dilation) in [(size, 1), (3, size), (size, size)] {
      #expect(throws: GraphError.self) {
        try trace { scope in
          let layer = Conv2D(scope["c"], 4, 4, kernel: kernel, dilation: dilation)
          return ["y": try layer(scope.argument("x", .float32, [1, 4, 8, 8]))]
        }
      }
    }
    #expect(throws: GraphError.self) {
      try trace { scope in
        ["y": try Linear(scope["fc"], size, size)(scope.argument("x", .float32, [1, 4]))]
      }
    }
  }

  @Test(
    "Padding keeps the size at stride 1, by default", arguments: [(1, 1), (3, 1), (5, 1), (3, 2)])
  func defaultPadding(kernel: Int, dilation: Int) throws {
    let graph = try trace { scope in
      let layer = Conv2D(scope, 2, 3, kernel: kernel, dilation: dilation)
      return ["y": try layer(scope.argument("x", .float32, [1, 2, 9, 7]))]
    }
    #expect(graph[graph.outputs[0].value].shape == [1, 3, 9, 7])
  }
}
