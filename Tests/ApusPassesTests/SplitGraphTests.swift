import ApusIR
import ApusPasses
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Splitting a graph")
struct SplitGraphTests {
  @Test("prepares folded filters, and keeps broadcasts and constants in the run")
  func folded() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 3, 4, 4])
      let filter = scope.parameter("weight", [5, 3, 1, 1], .heNormal)
      let vector = scope.parameter("bias", [5], .zeros)
      let scaled = try filter * vector.broadcast(to: [5, 3, 1, 1], axes: [0])
      let y = try convolution(x, scaled, Convolution())
      return ["y": try y + vector.broadcast(to: y.shape, axes: [1]) * 2]
    }
    let split = try SplitGraph(graph)
    expect(
      split.preparation,
      """
      %0: float32[5, 3, 1, 1] = input() {parameter "weight"}
      %1: float32[5] = input() {parameter "bias"}
      %2: float32[5, 3, 1, 1] = broadcast(%1) {to [5, 3, 1, 1], axes [0]}
      %3: float32[5, 3, 1, 1] = multiply(%0, %2)
      return %3 as "prepared 0"
      """)
  }

  @Test("keeps the meaning of random graphs, and leaves no arithmetic on parameters to the run")
  func random() throws {
    var preparations = 0
    for _ in 0..<60 {
      let seed = UInt64.random(in: 0 ... .max)
      let random = try RandomGraph(seed: seed)
      let graph = try Passes.inference.run(random.graph)
      let split = try SplitGraph(graph)
      try split.preparation.verify()
      try split.run.verify()
      let values = Dictionary(
        uniqueKeysWithValues: zip(graph.inputs.map(\.input.name), random.inputs()))
      let prepared = try split.preparation.evaluate(
        split.preparation.inputs.map { try #require(values[$0.input.name]) })
      preparations += prepared.count
      let results = try split.run.evaluate(
        split.run.inputs.map { input, _ in
          try #require(
            values[input.name] ?? Int(input.name.dropFirst("prepared ".count)).map { prepared[$0] })
        })
      for (got, expected) in zip(results, try graph.evaluate(random.inputs())) {
        #expect(difference(got, from: expected, within: .exact) == nil, "seed \(seed)")
      }
      #expect(try SplitGraph(split.run).preparation.outputs.isEmpty, "seed \(seed)")
    }
    #expect(preparations > 0)
  }

  @Test("prepares nothing from a parameter that runs update")
  func updated() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3])
      let weight = scope.parameter("weight", [3], .ones)
      scope.update("weight", try weight - x)
      return ["y": try exp(weight) * x]
    }
    #expect(try SplitGraph(graph).preparation.outputs.isEmpty)
  }
}
