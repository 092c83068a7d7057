import ApusAutodiff
import ApusIR
import ApusPasses
import ApusPlan
import ApusTensor
import ApusTestSupport
import Testing

@Suite("What a layer keeps for its gradient")
struct MemoryTests {
  /// How many tensors of a layer's size the arena grows by with each layer of the chain.
  private func growth(
    _ layer: @escaping (Tensor, _ scale: Tensor, _ offset: Tensor) throws -> Tensor
  ) throws -> Double {
    func arena(_ layers: Int) throws -> Int {
      var values: [Value] = []
      var graph = try trace(training: true) { scope in
        var x = scope.argument("images", .float32, [2, 8, 8, 8])
        var wanted: [Tensor] = []
        for index in 0..<layers {
          let part = scope[index]
          let filter = part.parameter("weight", [8, 8, 1, 1], .heNormal)
          let (scale, offset) = (
            part.parameter("scale", [8], .ones), part.parameter("offset", [8], .zeros)
          )
          wanted += [filter, scale, offset]
          x = try layer(convolution(x, filter, Convolution()), scale, offset)
        }
        let loss = try (x * x).mean(0, 1, 2, 3)
        values = try gradients(of: loss, withRespectTo: wanted).map(\.value)
        return ["loss": loss]
      }
      for (index, value) in values.enumerated() { graph.output(.result("\(index)"), value) }
      return try Planner(.compiled, NoKernels()).plan(Passes.inference.run(graph))
        .arenaSizeInBytes
    }
    let tensor = TensorType(.float32, [2, 8, 8, 8]).sizeInBytes
    return Double(try arena(16) - arena(8)) / Double(8 * tensor)
  }

  private static let slope = Activation.leakyRelu(slope: 0.01)

  @Test("is its input and its output for batch norm with an activation, its output alone in place")
  func batchNorm() throws {
    let plain = try growth { x, scale, offset in
      try batchNormTraining(x, scale: scale, offset: offset, epsilon: 1e-5).y
        .activated(Self.slope)
    }
    let inPlace = try growth { x, scale, offset in
      let norm = ActivatedBatchNorm(epsilon: 1e-5, activation: Self.slope)
      return try activatedBatchNorm(x, scale: scale, offset: offset, norm).y
    }
    // Beside the tensors of images each layer has the small ones of its parameters.
    #expect((2..<2.25).contains(plain))
    #expect((1..<1.25).contains(inPlace))
  }

  @Test("is its input for Swish, and every step of it where it is spelled out")
  func swish() throws {
    let whole = try growth { x, _, _ in try x.activated(.swish) }
    let naive = try growth { x, _, _ in try x * sigmoid(x) }
    #expect((2..<2.25).contains(whole))
    #expect((3..<3.25).contains(naive))
  }
}
