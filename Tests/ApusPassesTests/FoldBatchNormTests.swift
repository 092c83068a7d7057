import ApusIR
import ApusPasses
import ApusReference
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Folding batch norms")
struct FoldBatchNormTests {
  @Test(
    "works with and without a bias, for plain, grouped and depthwise convolutions",
    arguments: [1, 2, 4], [false, true])
  func folds(groups: Int, hasBias: Bool) throws {
    let graph = try network(groups: groups, hasBias: hasBias)
    let folded = try Passes([.foldBatchNorm, .removeDead], verifies: true).run(graph)
    #expect(!folded.nodes.contains { $0.op.name == "batchNorm" })
    #expect(folded.nodes.count { $0.op.name == "convolution" } == 1)
    try expectEqualResults(graph, folded)
  }

  @Test("leaves a convolution whose result anything else reads")
  func otherReaders() throws {
    let read = try network { _, convolved, normed in ["y": try normed + convolved] }
    #expect(try fold(read) == read)
    let returned = try network { _, convolved, normed in ["y": normed, "z": convolved] }
    #expect(try fold(returned) == returned)
  }

  @Test("leaves statistics that the graph updates")
  func updatedStatistics() throws {
    let graph = try network { scope, _, normed in
      scope.update("mean", try normed.mean(0, 2, 3))
      return ["y": normed]
    }
    #expect(try fold(graph) == graph)
  }

  @Test("leaves statistics that are computed from the images")
  func computedStatistics() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 4, 5, 5])
      let filter = scope.parameter("weight", [4, 4, 1, 1], .heNormal)
      let ones = scope.parameter("ones", [4], .ones)
      let y = try convolution(x, filter, Convolution())
      let variance = try (x * x).mean(0, 2, 3)
      return [
        "y": try batchNorm(
          y, scale: ones, offset: ones, mean: ones, variance: variance, epsilon: 1e-5)
      ]
    }
    #expect(try fold(graph) == graph)
  }

  @Test("leaves a filter behind a barrier, and a batch norm after something else")
  func others() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 4, 5, 5])
      let vector = scope.parameter("v", [4], .ones)
      let filter = try barrier([scope.parameter("weight", [4, 4, 1, 1], .heNormal)])[0]
      func norm(_ x: Tensor) throws -> Tensor {
        try batchNorm(
          x, scale: vector, offset: vector, mean: vector, variance: vector, epsilon: 1e-5)
      }
      return ["y": try norm(convolution(x, filter, Convolution())), "z": try norm(relu(x))]
    }
    #expect(try fold(graph) == graph)
  }

  private func fold(_ graph: Graph) throws -> Graph {
    try Passes([.foldBatchNorm], verifies: true).run(graph)
  }

  private func network(
    groups: Int = 1, hasBias: Bool = false,
    _ outputs: (Scope, _ convolved: Tensor, _ normed: Tensor) throws -> KeyValuePairs<
      String, Tensor
    > = { ["y": $2] }
  ) throws -> Graph {
    try trace { scope in
      let x = scope.argument("x", .float32, [2, 4, 6, 5])
      let filter = scope.parameter("weight", [8, 4 / groups, 3, 3], .heNormal)
      let bias = hasBias ? scope.parameter("bias", [8], .zeros) : nil
      let y = try convolution(
        x, filter, bias: bias, Convolution(padding: Padding2D(1), groups: groups))
      let normed = try batchNorm(
        y, scale: scope.parameter("scale", [8], .ones),
        offset: scope.parameter("offset", [8], .zeros), mean: scope.state("mean", [8], .zeros),
        variance: scope.state("variance", [8], .ones), epsilon: 1e-3)
      return try outputs(scope, y, normed)
    }
  }

  private func expectEqualResults(_ graph: Graph, _ rewritten: Graph) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = RandomTensors(seed: seed)
    let inputs = graph.inputs.map { input, _ in
      random.tensor(input.type.shape, in: input.name == "variance" ? 0.1...2 : -1...1)
    }
    let expected = try graph.evaluate(inputs)
    for (got, expected) in zip(try rewritten.evaluate(inputs), expected) {
      #expect(difference(got, from: expected, within: .accumulation) == nil, "seed \(seed)")
    }
  }
}
