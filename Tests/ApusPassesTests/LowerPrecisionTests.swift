import ApusIR
import ApusPasses
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Lowering precision")
struct LowerPrecisionTests {
  @Test("rounds parameters once, after the arithmetic on them, and converts results back")
  func golden() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 3])
      let weight = scope.parameter("weight", [3], .ones)
      let bias = try exp(weight).broadcast(to: [2, 3], axes: [1])
      return ["y": try (x + bias) * 3]
    }
    expect(
      try lower(graph, to: .bfloat16),
      """
      %0: bfloat16[2, 3] = input() {argument "x"}
      %1: float32[3] = input() {parameter "weight"}
      %2: float32[3] = exp(%1)
      %3: bfloat16[3] = convert(%2) {bfloat16}
      %4: bfloat16[2, 3] = broadcast(%3) {to [2, 3], axes [1]}
      %5: bfloat16[2, 3] = add(%0, %4)
      %6: bfloat16[] = constant() {[3.0]}
      %7: bfloat16[2, 3] = broadcast(%6) {to [2, 3], axes []}
      %8: bfloat16[2, 3] = multiply(%5, %7)
      %9: float32[2, 3] = convert(%8) {float32}
      return %9 as "y"
      """)
  }

  @Test("stays near float32 on random graphs", arguments: [DType.bfloat16, .float16])
  func random(dtype: DType) throws {
    for _ in 0..<40 {
      let seed = UInt64.random(in: 0 ... .max)
      let random = try RandomGraph(seed: seed, nodes: 6)
      let lowered = try lower(random.graph, to: dtype)
      let inputs = zip(lowered.inputs, random.inputs()).map { input, tensor in
        HostTensor(input.input.type, rounding: tensor.doubles)
      }
      let expected = try random.graph.evaluate(random.inputs())
      let precision = dtype == .bfloat16 ? 1e-1 : 1e-2
      for (got, expected) in zip(try lowered.evaluate(inputs), expected) {
        let failure = difference(
          got, from: expected, within: Tolerance(relative: precision, absolute: precision))
        #expect(failure == nil, "seed \(seed)")
      }
      let fixed = lowered.fixedValues
      for node in lowered.nodes
      where node.op.name == "convolution" && !fixed.isSuperset(of: node.results) {
        #expect(lowered[node.results[0]].dtype == dtype, "seed \(seed)")
      }
    }
  }

  @Test("leaves whole numbers alone and keeps float32 masters of updated parameters")
  func types() throws {
    let graph = try trace { scope in
      let labels = scope.argument("labels", .int32, [3])
      let weight = scope.parameter("weight", [3], .ones)
      let x = scope.argument("x", .float32, [3])
      let change = try weight * x
      scope.update("weight", try weight - change)
      return ["labels": labels, "change": change]
    }
    let lowered = try lower(graph, to: .bfloat16)
    #expect(
      lowered.inputs.map(\.input.type.dtype) == [.int32, .float32, .bfloat16])
    #expect(
      lowered.outputs.map { lowered[$0.value].dtype } == graph.outputs.map { graph[$0.value].dtype }
    )
  }

  private func lower(_ graph: Graph, to dtype: DType) throws -> Graph {
    try Passes([.lowerPrecision(to: dtype), .removeDead], verifies: true).run(graph)
  }
}
