import ApusIR
import ApusPlan
import ApusTensor
import Testing

@Suite("The preparation of parameters")
struct PreparationTests {
  private func network(_ scope: Scope, _ x: Tensor) throws -> KeyValuePairs<String, Tensor> {
    let y = try relu(normalize(scope["bn"], convolve(scope["conv"], x)))
    let weight = scope.parameter("fc.weight", [10, 16], .uniformFanIn(16))
    return ["y": try dot(globalAveragePool(y), weight, transposesRight: true)]
  }

  @Test("has the same keys for every batch size")
  func batches() throws {
    let one = try plan(.compiled, x: [1, 16, 4, 4], network)
    let four = try plan(.compiled, x: [4, 16, 4, 4], network)
    #expect(!keys(one).isEmpty)
    #expect(keys(one) == keys(four))
  }

  @Test("tells apart parameters, activations, shapes, types and ways to read a weight")
  func distinctKeys() throws {
    let plan = try plan(.compiled) { scope, x in
      let a = scope.parameter("a", [16, 16], .ones)
      let (b, c) = (scope.parameter("b", [16, 16], .ones), scope.parameter("c", [16, 16], .ones))
      let mean = try globalAveragePool(x)
      var y = try dot(dot(mean, a, transposesRight: true), b)
      y =
        try y + exp(a).sliced(from: [0, 0], to: [2, 16])
        + relu(a + c).sliced(from: [0, 0], to: [2, 16])
      y = try y + (a + c).sliced(from: [0, 0], to: [2, 16])
      return ["y": try y + b.sliced(from: [0, 0], to: [2, 16])]
    }
    let all = plan.buffers.compactMap { buffer in
      if case .prepared(let key) = buffer.place { key } else { nil }
    }
    #expect(Set(all).count == all.count)
    #expect(all.count >= 8)
  }

  @Test("keeps indices of different types apart")
  func iota() throws {
    var keys: Set<String> = []
    let types = [
      TensorType(.float32, [4]), TensorType(.float32, [8]), TensorType(.float32, [4, 2]),
      TensorType(.float64, [4]),
    ]
    for type in types {
      var graph = Graph()
      let value = try graph.append(.iota(Iota(type, axis: 0)))[0]
      graph.output(.result("y"), value)
      let plan = try Planner(.compiled, FakeLibrary()).plan(graph)
      #expect(plan.steps.isEmpty)
      keys.formUnion(self.keys(plan))
    }
    #expect(keys.count == types.count)
  }

  @Test("eager, makes other layouts of parameters only")
  func eager() throws {
    let plan = try plan(.eager, network)
    #expect(plan.preparation.map(\.kind) == [.reorder, .reorder])
    #expect(plan.steps.map(\.name).contains("batchNorm"))
  }

  @Test("leaves what runs update to the steps")
  func updated() throws {
    let plan = try plan(.compiled) { scope, x in
      let state = scope.state("s", [16], .zeros)
      let fixed = scope.parameter("p", [16], .ones)
      scope.update("s", try exp(state) + exp(fixed))
      return ["y": try x + exp(fixed).reshaped(to: [16, 1, 1])]
    }
    #expect(plan.inputs.map(\.name) == ["x", "s"])
    #expect(plan.preparation.map(\.name) == ["exp"])
    #expect(plan.steps.map(\.name) == ["exp", "add", "add"])
    #expect(plan.results.map(\.role) == [.update("s"), .result("y")])
  }

  @Test("counts the bytes of what runs read, not of what lies in between")
  func size() throws {
    let plan = try plan(.compiled) { scope, x in
      ["y": try normalize(scope["bn"], convolve(scope["conv"], x))]
    }
    // The filter in the fake layout, twice its 16 · 16 · 9 values, and the bias.
    #expect(plan.preparedSizeInBytes == 2 * 16 * 16 * 9 * 4 + 16 * 4)
  }

  @Test("drops what no step needs")
  func unneeded() throws {
    var graph = Graph()
    let type = TensorType(.float32, [3])
    let parameter = try graph.append(.input(Input(.parameter("p"), type)))[0]
    _ = try graph.append(.unary(.exp), [parameter])
    graph.output(.result("y"), parameter)
    let plan = try Planner(.compiled, FakeLibrary()).plan(graph)
    #expect(plan.preparation.isEmpty && plan.steps.isEmpty)
  }

  /// The keys of the forms that steps and results read.
  private func keys(_ plan: Plan) -> Set<String> {
    Set(
      plan.buffersRead.compactMap { buffer in
        if case .prepared(let key) = plan.buffers[buffer].place { key } else { nil }
      })
  }
}
