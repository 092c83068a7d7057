import ApusIR
import Testing

/// Counts the results that are alive.
private final class Counted {
  final class Census {
    var alive = 0
  }

  let census: Census
  let name: String

  init(_ name: String, _ census: Census) {
    self.name = name
    self.census = census
    census.alive += 1
  }

  deinit { census.alive -= 1 }
}

private struct Refusal: Error, Equatable {
  let node: String
}

@Suite("Interpreting a graph")
struct InterpretTests {
  /// x → exp → … → exp, `count` times.
  private func chain(_ count: Int) throws -> Graph {
    var graph = Graph()
    var value = try graph.append(.input(Input(.argument("x"), f32(2))))[0]
    for _ in 0..<count { value = try graph.append(.unary(.exp), [value])[0] }
    graph.output(.result("y"), value)
    return graph
  }

  @Test("lets operands go after their last reader")
  func releases() throws {
    let census = Counted.Census()
    var most = 0
    let results = try chain(20).interpret { node, operands -> [Counted] in
      most = max(most, census.alive)
      return node.results.map { Counted("\($0)", census) }
    }
    // The operand of the node that is being interpreted.
    #expect(most == 1)
    #expect(results.map(\.name) == ["%20"])
    withExtendedLifetime(results) { #expect(census.alive == 1) }
  }

  @Test("keeps no results that nobody reads")
  func deadResults() throws {
    var graph = Graph()
    let x = try graph.append(.input(Input(.argument("x"), f32(2))))[0]
    for _ in 0..<5 { try graph.append(.unary(.exp), [x]) }
    graph.output(.result("x"), x)
    let census = Counted.Census()
    var most = 0
    let results = graph.interpret { node, _ -> [Counted] in
      most = max(most, census.alive)
      return node.results.map { Counted("\($0)", census) }
    }
    #expect(most == 1)
    #expect(results.map(\.name) == ["%0"])
  }

  @Test("keeps what is an output, also when it is read, and gives it out as often as asked")
  func outputs() throws {
    var graph = Graph()
    let x = try graph.append(.input(Input(.argument("x"), f32(2))))[0]
    let y = try graph.append(.binary(.add), [x, x])[0]
    for (name, value) in [("a", x), ("b", y), ("c", x)] { graph.output(.result(name), value) }
    let results = graph.interpret { node, operands in
      ["\(node.op.name)(\(operands.joined(separator: ", ")))"]
    }
    #expect(results == ["input()", "add(input(), input())", "input()"])
  }

  @Test("throws what a step throws")
  func failure() throws {
    let graph = try chain(3)
    #expect(throws: Refusal(node: "exp")) {
      try graph.interpret { (node, _: [Int]) throws(Refusal) -> [Int] in
        guard case .input = node.op else { throw Refusal(node: node.op.name) }
        return [0]
      }
    }
  }

  @Test("rewrites to the same graph when every node is kept")
  func identity() throws {
    let graph = try chain(4)
    let copy = try graph.rewritten { (copy, node, operands) throws(GraphError) in
      try copy.append(node.op, operands, path: node.path)
    }
    #expect(copy == graph)
  }

  @Test("rewrites nodes away")
  func removal() throws {
    let short = try chain(4).rewritten { (copy, node, operands) throws(GraphError) in
      guard case .unary = node.op else { return try copy.append(node.op, operands) }
      return operands
    }
    try short.verify()
    #expect(short.nodes.count == 1)
    #expect(short.outputs.map(\.value) == [Value(0)])
  }
}
