import ApusIR
import Testing

@Suite("The verifier")
struct VerifierTests {
  private static let x = Node(
    op: .input(Input(.argument("x"), f32(2))), operands: [], results: [Value(0)])
  private static let exp = Node(op: .unary(.exp), operands: [Value(0)], results: [Value(1)])

  private static func state(_ path: String, _ type: TensorType, result: Int) -> Node {
    Node(op: .input(Input(.state(path), type)), operands: [], results: [Value(result)])
  }

  private func expect(
    _ error: VerificationError, _ nodes: [Node], types: [TensorType],
    outputs: [Graph.Output] = [], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: error, sourceLocation: sourceLocation) {
      try Graph(unverified: nodes, types: types, outputs: outputs).verify()
    }
  }

  @Test("accepts what append builds")
  func accepts() throws {
    var graph = Graph()
    let x = try graph.append(.input(Input(.argument("x"), f32(2, 3))))[0]
    let mean = try graph.append(.input(Input(.state("bn.mean"), f32(3))))[0]
    let both = try graph.append(.barrier, [x, mean])
    graph.output(.result("y"), both[0])
    graph.output(.update("bn.mean"), both[1])
    try graph.verify()
    try Graph(unverified: graph.nodes, types: graph.types, outputs: graph.outputs).verify()
  }

  @Test("finds operands that are not made before they are read")
  func undefinedOperands() {
    let late = Node(op: .unary(.exp), operands: [Value(0)], results: [Value(0)])
    expect(.undefinedOperand(node: 0, value: Value(0)), [late], types: [f32(2)])
    let negative = Node(op: .unary(.exp), operands: [Value(-1)], results: [Value(1)])
    expect(
      .undefinedOperand(node: 1, value: Value(-1)), [Self.x, negative], types: [f32(2), f32(2)])
    let output = Graph.Output(.result("y"), Value(5))
    expect(
      .undefinedOperand(node: 1, value: Value(5)), [Self.x], types: [f32(2)], outputs: [output])
  }

  @Test("finds broken constraints")
  func invalidNodes() {
    let violation = #expect(throws: VerificationError.self) {
      let dot = Node(
        op: .dot(Dot()), operands: [Value(0), Value(0)], results: [Value(1)], path: "fc")
      try Graph(unverified: [Self.x, dot], types: [f32(2), f32(2)], outputs: []).verify()
    }
    guard case .invalid(node: 1, let error) = violation else {
      Issue.record("expected an invalid node, got \(String(describing: violation))")
      return
    }
    #expect(error.path == "fc" && error.violation.constraint == "C1")
    #expect(error.operands == [f32(2), f32(2)])
  }

  @Test("finds types that are not the inferred ones")
  func wrongTypes() {
    expect(
      .wrongTypes(node: 1, recorded: [i32(2)], inferred: [f32(2)]), [Self.x, Self.exp],
      types: [f32(2), i32(2)])
    let barrier = Node(op: .barrier, operands: [Value(0), Value(0)], results: [Value(1)])
    expect(
      .wrongTypes(node: 1, recorded: [f32(2)], inferred: [f32(2), f32(2)]), [Self.x, barrier],
      types: [f32(2), f32(2)])
  }

  @Test("finds results that are not the next values")
  func misnumbered() {
    let skipping = Node(op: .unary(.exp), operands: [Value(0)], results: [Value(2)])
    expect(
      .misnumberedResults(node: 1), [Self.x, skipping], types: [f32(2), f32(2), f32(2)])
    expect(.misnumberedResults(node: 1), [Self.x, Self.exp], types: [f32(2)])
    // A value that no node makes.
    expect(.misnumberedResults(node: 1), [Self.x], types: [f32(2), f32(2)])
  }

  @Test("finds names that are declared twice")
  func duplicates() {
    let again = Node(
      op: .input(Input(.argument("x"), f32(2))), operands: [], results: [Value(1)])
    expect(.duplicate("x"), [Self.x, again], types: [f32(2), f32(2)])
    let parameter = Node(
      op: .input(Input(.parameter("bn.mean"), f32(2))), operands: [], results: [Value(1)])
    expect(
      .duplicate("bn.mean"), [Self.state("bn.mean", f32(2), result: 0), parameter],
      types: [f32(2), f32(2)])
    let output = Graph.Output(.result("y"), Value(0))
    expect(.duplicate("y"), [Self.x], types: [f32(2)], outputs: [output, output])
  }

  @Test("accepts several random inputs of one distribution")
  func randomInputs() throws {
    let nodes = (0..<2).map {
      Node(op: .input(Input(.random(.uniform), f32(2))), operands: [], results: [Value($0)])
    }
    try Graph(unverified: nodes, types: [f32(2), f32(2)], outputs: []).verify()
  }

  @Test("finds updates without an input of their type")
  func danglingUpdates() {
    let mean = Self.state("bn.mean", f32(3), result: 1)
    let update = Graph.Output(.update("bn.mean"), Value(0))
    expect(
      .danglingUpdate("bn.mean"), [Self.x, mean], types: [f32(2), f32(3)], outputs: [update])
    expect(.danglingUpdate("bn.mean"), [Self.x], types: [f32(2)], outputs: [update])
  }
}
