import ApusAutodiff
import ApusIR
import ApusPasses
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("What a checkpointed segment does not keep")
struct CheckpointTests {
  private enum Kind { case plain, checkpointed, nested }

  /// Blocks of convolution, batch norm, rectifier and dropout on 8×8 images of eight channels, with a
  /// shortcut each, and the gradients of all parameters and the images.
  private func step(_ kind: Kind, blocks: Int) throws -> Graph {
    var values: [Value] = []
    var graph = try trace(training: true) { scope in
      let images = scope.argument("images", .float32, [2, 8, 8, 8])
      var (x, wanted) = (images, [images])
      for block in 0..<blocks {
        let part = scope[block]
        func body() throws -> Tensor { try Self.block(part, x, &wanted) }
        x =
          switch kind {
          case .plain: try body()
          case .checkpointed: try scope.checkpoint(body)
          case .nested: try scope.checkpoint { try part.checkpoint(body) }
          }
      }
      let loss = try (x * x).mean(0, 1, 2, 3)
      values = try gradients(of: loss, withRespectTo: wanted).map(\.value)
      return ["loss": loss]
    }
    for (index, value) in values.enumerated() { graph.output(.result("\(index)"), value) }
    try graph.verify()
    return graph
  }

  private static func block(
    _ scope: Scope, _ x: Tensor, _ wanted: inout [Tensor]
  ) throws -> Tensor {
    let filter = scope.parameter("weight", [8, 8, 3, 3], .heNormal)
    let (scale, offset) = (scope.parameter("s", [8], .ones), scope.parameter("o", [8], .zeros))
    wanted += [filter, scale, offset]
    let convolved = try convolution(x, filter, Convolution(padding: Padding2D(1)))
    let norm = try batchNormTraining(convolved, scale: scale, offset: offset, epsilon: 1e-3)
    let mean = scope.state("mean", [8], .zeros)
    scope.update("mean", try mean * 0.9 + norm.mean * 0.1)
    let mask = scope.random(.bernoulli(0.8), x.shape)
    return try norm.y.activated(.swish) * mask + x
  }

  private func inputs(_ graph: Graph) -> [HostTensor] {
    var random = RandomTensors(seed: 7)
    return graph.inputs.map { input, _ in
      if case .random = input.role {
        return random.tensor(OperandSpec(input.type, .integers(0...1)))
      }
      return random.tensor(input.type.shape)
    }
  }

  @Test("is computed again: the same bits of all gradients and of the statistics, updated once")
  func sameBits() throws {
    let plain = try step(.plain, blocks: 3)
    let expected = try plain.evaluate(inputs(plain))
    for kind in [Kind.checkpointed, .nested] {
      let graph = try step(kind, blocks: 3)
      #expect(graph.outputs.map(\.role) == plain.outputs.map(\.role))
      #expect(graph.updatedPaths == ["0.mean", "1.mean", "2.mean"])
      for graph in [graph, try Passes.inference.verified.run(graph)] {
        let results = try graph.evaluate(inputs(graph))
        #expect(zip(results, expected).allSatisfy { $0.isIdentical(to: $1) })
      }
    }
  }

  @Test("stays apart from the forward half, and no more of it is made than is read")
  func duplicates() throws {
    func counts(_ kind: Kind) throws -> [Int] {
      let graph = try Passes.inference.verified.run(step(kind, blocks: 3))
      return ["convolution", "batchNormTraining", "swish", "multiply", "barrier"].map { name in
        graph.nodes.count { $0.op.name == name }
      }
    }
    let (plain, checkpointed) = (try counts(.plain), try counts(.checkpointed))
    // The product with the mask and the sum end a block: no gradient reads them.
    #expect(checkpointed[0] == plain[0] + 3)
    #expect(checkpointed[1] == plain[1] + 3)
    #expect(checkpointed[2] == plain[2])
    #expect(checkpointed[3] == plain[3])
    #expect((plain[4], checkpointed[4]) == (0, 3))
    #expect(try counts(.nested) == checkpointed)
  }

  @Test("may leave the segment in the middle: what is read outside is kept")
  func leaks() throws {
    func step(checkpointed: Bool) throws -> Graph {
      try trace(training: true) { scope in
        let x = scope.argument("x", .float32, [2, 3, 5, 5])
        let filters = ["a", "b", "c"].map {
          scope[$0].parameter("weight", [3, 3, 3, 3], .heNormal)
        }
        func apply(_ x: Tensor, _ index: Int) throws -> Tensor {
          try convolution(x, filters[index], Convolution(padding: Padding2D(1)))
            .activated(.mish)
        }
        func body() throws -> (inner: Tensor, last: Tensor) {
          let inner = try apply(apply(x, 0), 1)
          return (inner, try apply(inner, 2))
        }
        let (inner, last) = checkpointed ? try scope.checkpoint(body) : try body()
        let loss = try (last * last + inner).mean(0, 1, 2, 3)
        let values = try gradients(of: loss, withRespectTo: filters)
        return ["a": values[0], "b": values[1], "c": values[2]]
      }
    }
    let plain = try step(checkpointed: false)
    let graph = try Passes.inference.verified.run(step(checkpointed: true))
    let (results, expected) = (
      try graph.evaluate(inputs(graph)), try plain.evaluate(inputs(plain))
    )
    #expect(zip(results, expected).allSatisfy { $0.isIdentical(to: $1) })
    // Mish reads its operand: the three convolutions are made again, but only the first activation.
    #expect(graph.nodes.count { $0.op.name == "convolution" } == 6)
    #expect(graph.nodes.count { $0.op.name == "mish" } == 4)
  }

  @Test("takes no memory: the arena grows by one tensor a block, not by all of its own")
  func arena() throws {
    func arena(_ kind: Kind, _ blocks: Int) throws -> Int {
      let graph = try Passes.inference.run(step(kind, blocks: blocks))
      return try Planner(.compiled, NoKernels()).plan(graph).arenaSizeInBytes
    }
    let tensor = TensorType(.float32, [2, 8, 8, 8]).sizeInBytes
    func growth(_ kind: Kind) throws -> Double {
      Double(try arena(kind, 12) - arena(kind, 6)) / Double(6 * tensor)
    }
    #expect(try growth(.checkpointed) < 1.4)
    #expect(try growth(.plain) > 1.9)
    #expect(try arena(.checkpointed, 12) < arena(.plain, 12) * 2 / 3)
  }
}
