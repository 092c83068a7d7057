import ApusIR
import ApusPasses
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Each pass, before and after")
struct GoldenPassTests {
  @Test("removeIdentities drops what returns its operand")
  func removeIdentities() throws {
    var graph = Graph()
    let type = TensorType(.float32, [2, 3, 4, 4])
    var x = try graph.append(.input(Input(.argument("x"), type)))
    let axes = [0, 1, 2, 3]
    let identities: [Op] = [
      .convert(.float32), .reshape(type.shape), .transpose(Transpose(axes)),
      .broadcast(Broadcast(to: type.shape, axes: axes)),
      .slice(Slice(starts: [0, 0, 0, 0], ends: [2, 3, 4, 4])),
      .pad(Pad(low: [0, 0, 0, 0], high: [0, 0, 0, 0])), .concatenate(Concatenate(axis: 1)),
      .reduce(Reduce(.mean, axes: [])),
      .pool(Pool(.max, kernel: Size2D(1), stride: Size2D(1))),
    ]
    for op in identities { x = try graph.append(op, x) }
    for op in [
      Op.slice(Slice(starts: [0, 0, 0, 0], ends: [2, 3, 4, 4], steps: [1, 1, 1, 2])),
      .transpose(Transpose([1, 0, 2, 3])), .pool(Pool(.max, kernel: Size2D(1), stride: Size2D(2))),
      .convert(.float64),
    ] { x = try graph.append(op, x) }
    graph.output(.result("y"), x[0])
    expect(
      try Passes([.removeIdentities], verifies: true).run(graph),
      """
      %0: float32[2, 3, 4, 4] = input() {argument "x"}
      %1: float32[2, 3, 4, 2] = slice(%0) {[0, 0, 0, 0] ..< [2, 3, 4, 4] by [1, 1, 1, 2]}
      %2: float32[3, 2, 4, 2] = transpose(%1) {[1, 0, 2, 3]}
      %3: float32[3, 2, 2, 1] = maxPool(%2) {kernel 1×1, stride 2×2, padding 0}
      %4: float64[3, 2, 2, 1] = convert(%3) {float64}
      return %4 as "y"
      """)
  }

  @Test("mergeCommon computes equal nodes once, but inputs and barriers apart")
  func mergeCommon() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [4])
      let (r, s) = (scope.random(.uniform, [4]), scope.random(.uniform, [4]))
      let a = try exp(x + 1)
      let b = try exp(x + 1)
      let (c, d) = (try barrier([a])[0], try barrier([b])[0])
      return ["y": try a - b, "z": try c * d, "w": try exp(x + 2) + (r - s)]
    }
    expect(
      graph,
      """
      %0: float32[4] = input() {argument "x"}
      %1: float32[4] = input() {random uniform}
      %2: float32[4] = input() {random uniform}
      %3: float32[] = constant() {[1.0]}
      %4: float32[4] = broadcast(%3) {to [4], axes []}
      %5: float32[4] = add(%0, %4)
      %6: float32[4] = exp(%5)
      %7: float32[] = constant() {[1.0]}
      %8: float32[4] = broadcast(%7) {to [4], axes []}
      %9: float32[4] = add(%0, %8)
      %10: float32[4] = exp(%9)
      %11: float32[4] = barrier(%6)
      %12: float32[4] = barrier(%10)
      %13: float32[4] = subtract(%6, %10)
      %14: float32[4] = multiply(%11, %12)
      %15: float32[] = constant() {[2.0]}
      %16: float32[4] = broadcast(%15) {to [4], axes []}
      %17: float32[4] = add(%0, %16)
      %18: float32[4] = exp(%17)
      %19: float32[4] = subtract(%1, %2)
      %20: float32[4] = add(%18, %19)
      return %13 as "y"
      return %14 as "z"
      return %20 as "w"
      """)
    expect(
      try Passes([.mergeCommon], verifies: true).run(graph),
      """
      %0: float32[4] = input() {argument "x"}
      %1: float32[4] = input() {random uniform}
      %2: float32[4] = input() {random uniform}
      %3: float32[] = constant() {[1.0]}
      %4: float32[4] = broadcast(%3) {to [4], axes []}
      %5: float32[4] = add(%0, %4)
      %6: float32[4] = exp(%5)
      %7: float32[4] = barrier(%6)
      %8: float32[4] = barrier(%6)
      %9: float32[4] = subtract(%6, %6)
      %10: float32[4] = multiply(%7, %8)
      %11: float32[] = constant() {[2.0]}
      %12: float32[4] = broadcast(%11) {to [4], axes []}
      %13: float32[4] = add(%0, %12)
      %14: float32[4] = exp(%13)
      %15: float32[4] = subtract(%1, %2)
      %16: float32[4] = add(%14, %15)
      return %9 as "y"
      return %10 as "z"
      return %16 as "w"
      """)
  }

  @Test("removeDead drops what no output needs, but keeps inputs and whole barriers")
  func removeDead() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [4])
      _ = scope.parameter("unused", [2], .ones)
      let parts = try barrier([x, exp(x)])
      _ = try log(exp(x))
      return ["y": try tanh(parts[0])]
    }
    expect(
      try Passes([.removeDead], verifies: true).run(graph),
      """
      %0: float32[4] = input() {argument "x"}
      %1: float32[2] = input() {parameter "unused"}
      %2: float32[4] = exp(%0)
      %3: float32[4], %4: float32[4] = barrier(%0, %2)
      %5: float32[4] = tanh(%3)
      return %5 as "y"
      """)
  }

  @Test("foldBatchNorm makes filter and bias of the batch norm's parameters")
  func foldBatchNorm() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [1, 2, 3, 3])
      let bn = scope["bn"]
      let y = try convolution(
        x, scope["conv"].parameter("weight", [4, 2, 1, 1], .heNormal),
        bias: scope["conv"].parameter("bias", [4], .zeros), Convolution())
      return [
        "y": try batchNorm(
          y, scale: bn.parameter("weight", [4], .ones), offset: bn.parameter("bias", [4], .zeros),
          mean: bn.state("running_mean", [4], .zeros),
          variance: bn.state("running_var", [4], .ones),
          epsilon: 1e-5)
      ]
    }
    expect(
      try Passes([.foldBatchNorm, .removeDead], verifies: true).run(graph),
      """
      %0: float32[1, 2, 3, 3] = input() {argument "x"}
      %1: float32[4, 2, 1, 1] = input() {parameter "conv.weight"} @conv
      %2: float32[4] = input() {parameter "conv.bias"} @conv
      %3: float32[4] = input() {parameter "bn.weight"} @bn
      %4: float32[4] = input() {parameter "bn.bias"} @bn
      %5: float32[4] = input() {state "bn.running_mean"} @bn
      %6: float32[4] = input() {state "bn.running_var"} @bn
      %7: float32[4] = constant() {[1e-05]} @conv
      %8: float32[4] = add(%6, %7) @conv
      %9: float32[4] = sqrt(%8) @conv
      %10: float32[4] = divide(%3, %9) @conv
      %11: float32[4, 2, 1, 1] = broadcast(%10) {to [4, 2, 1, 1], axes [0]} @conv
      %12: float32[4, 2, 1, 1] = multiply(%1, %11) @conv
      %13: float32[4] = subtract(%5, %2) @conv
      %14: float32[4] = multiply(%13, %10) @conv
      %15: float32[4] = subtract(%4, %14) @conv
      %16: float32[1, 4, 3, 3] = convolution(%0, %12, %15) {stride 1×1, padding 0} @conv
      return %16 as "y"
      """)
  }

  @Test("mergeCommon keeps 0 and −0 apart, but not two constants that are no numbers")
  func signedZeros() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [1])
      return ["a": try x / 0.0, "b": try x / -0.0, "c": try x + .nan, "d": try x + .nan]
    }
    let merged = try Passes([.mergeCommon], verifies: true).run(graph)
    let values = merged.outputs.map(\.value)
    #expect(values[0] != values[1])
    #expect(values[2] == values[3])
  }

  @Test("a pass that breaks the graph is named, with what it broke")
  func broken() throws {
    let breaks = Pass("breaks") { graph throws(GraphError) in
      Graph(unverified: graph.nodes, types: [], outputs: graph.outputs)
    }
    let graph = try trace { scope in ["y": scope.argument("x", .float32, [4])] }
    #expect {
      try Passes([breaks], verifies: true).run(graph)
    } throws: {
      "\($0)" == "pass breaks: node 0 does not define the next values"
    }
    #expect(Passes.inference.verified.verifies)
    #expect(Passes.inference.verified.passes.map(\.name) == Passes.inference.passes.map(\.name))
  }
}

func expect(
  _ graph: Graph, _ golden: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let changes = difference(graph.description, from: golden)
  #expect(changes == nil, sourceLocation: sourceLocation)
}
