import ApusIR
import ApusPasses
import ApusReference
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Batch norms across concatenations and before convolutions")
struct MoveBatchNormTests {
  private static let batch: Shape = [2, 4, 6, 5]

  /// A batch norm with parameters of its own.
  private static func norm(_ scope: Scope, _ x: Tensor) throws -> Tensor {
    let channels: Shape = [x.shape[1]]
    return try batchNorm(
      x, scale: scope.parameter("scale", channels, .ones),
      offset: scope.parameter("offset", channels, .zeros),
      mean: scope.state("mean", channels, .zeros),
      variance: scope.state("variance", channels, .ones), epsilon: 1e-3)
  }

  private static func convolved(
    _ scope: Scope, _ x: Tensor, _ outputs: Int, kernel: Int = 3, padding: Int = 1,
    hasBias: Bool = false, groups: Int = 1
  ) throws -> Tensor {
    try convolution(
      x, scope.parameter("weight", [outputs, x.shape[1] / groups, kernel, kernel], .heNormal),
      bias: hasBias ? scope.parameter("bias", [outputs], .zeros) : nil,
      Convolution(padding: Padding2D(padding), groups: groups))
  }

  @Test("a batch norm over joined convolutions goes into them")
  func concatenation() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, Self.batch)
      let parts = try [
        Self.convolved(scope["a"], x, 3), x.maxPooled(),
        Self.convolved(scope["b"], x, 5, hasBias: true),
      ]
      return ["y": try relu(Self.norm(scope["norm"], concatenate(parts)))]
    }
    let folded = try Passes.inference.verified.run(graph)
    // What the pool makes is normalised by itself.
    #expect(folded.nodes.count { $0.op.name == "batchNorm" } == 1)
    #expect(folded.nodes.count { $0.op.name == "convolution" } == 2)
    try expectEqualResults(graph, folded)
  }

  @Test("a joined tensor that anything else reads, or that joins no convolution, stays whole")
  func otherReaders() throws {
    for joinsConvolution in [false, true] {
      let graph = try trace { scope in
        let x = scope.argument("x", .float32, Self.batch)
        let part = joinsConvolution ? try Self.convolved(scope["a"], x, 3) : try x.maxPooled()
        let joined = try concatenate([x, part])
        let normed = try Self.norm(scope["norm"], joined)
        return joinsConvolution ? ["y": normed, "z": joined] : ["y": normed]
      }
      #expect(try Passes([.splitBatchNorm], verifies: true).run(graph) == graph)
    }
  }

  @Test("a batch norm goes into the convolution behind it", arguments: [1, 3], [false, true])
  func ahead(kernel: Int, hasBias: Bool) throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, Self.batch)
      return [
        "y": try Self.convolved(
          scope["a"], Self.norm(scope["norm"], x), 7, kernel: kernel, padding: 0,
          hasBias: hasBias)
      ]
    }
    let folded = try Passes.inference.verified.run(graph)
    #expect(!folded.nodes.contains { $0.op.name == "batchNorm" })
    try expectEqualResults(graph, folded)
  }

  @Test("but not into one that pads, has groups, or is not its only reader")
  func stays() throws {
    func network(
      padding: Int = 0, groups: Int = 1,
      _ outputs: (Tensor, Tensor) -> KeyValuePairs<String, Tensor>
    ) throws -> Graph {
      try trace { scope in
        let normed = try Self.norm(
          scope["norm"], scope.argument("x", .float32, Self.batch))
        return try outputs(
          Self.convolved(scope["a"], normed, 8, padding: padding, groups: groups), normed)
      }
    }
    for graph in [
      try network(padding: 1) { y, _ in ["y": y] }, try network(groups: 2) { y, _ in ["y": y] },
      try network { y, normed in ["y": y, "z": normed] },
    ] {
      #expect(try Passes([.foldBatchNormAhead], verifies: true).run(graph) == graph)
    }
  }

  private func expectEqualResults(_ graph: Graph, _ rewritten: Graph) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = RandomTensors(seed: seed)
    let inputs = graph.inputs.map { input, _ in
      random.tensor(input.type.shape, in: input.name.hasSuffix("variance") ? 0.1...2 : -1...1)
    }
    let expected = try graph.evaluate(inputs)
    for (got, expected) in zip(try rewritten.evaluate(inputs), expected) {
      #expect(difference(got, from: expected, within: .accumulation) == nil, "seed \(seed)")
    }
  }
}

extension Tensor {
  /// The largest of 3×3 pixels around each.
  fileprivate func maxPooled() throws -> Tensor {
    try maxPool(self, kernel: 3, stride: 1, padding: 1)
  }
}
