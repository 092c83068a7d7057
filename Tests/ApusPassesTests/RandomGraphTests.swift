import ApusIR
import ApusPasses
import ApusReference
import ApusTestSupport
import Testing

@Suite("On random graphs")
struct RandomGraphTests {
  private static let all = Passes.inference.passes.map { Passes([$0]) } + [Passes.inference]

  @Test("every pass keeps results, inputs and output roles", arguments: all.indices)
  func meaning(index: Int) throws {
    let passes = Self.all[index].verified
    for _ in 0..<40 {
      let seed = UInt64.random(in: 0 ... .max)
      let random = try RandomGraph(seed: seed)
      let rewritten = try passes.run(random.graph)
      #expect(rewritten.inputs.map(\.input) == random.graph.inputs.map(\.input), "seed \(seed)")
      #expect(rewritten.outputs.map(\.role) == random.graph.outputs.map(\.role), "seed \(seed)")
      let inputs = random.inputs()
      let expected = try random.graph.evaluate(inputs)
      for (got, expected) in zip(try rewritten.evaluate(inputs), expected) {
        let failure = difference(
          got, from: expected, within: Tolerance(relative: 1e-4, absolute: 1e-4))
        #expect(failure == nil, "seed \(seed)")
      }
    }
  }
}
