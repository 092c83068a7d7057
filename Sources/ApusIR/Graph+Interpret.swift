extension Graph {
  /// Runs the graph through any interpretation of its ops and returns the outputs' results.
  ///
  /// `step` maps a node and what its operands became to what its results become. An operand is let
  /// go after the last node that reads it.
  public func interpret<Result, Failure: Error>(
    _ step: (Node, [Result]) throws(Failure) -> [Result]
  ) throws(Failure) -> [Result] {
    var values = [Result?](repeating: nil, count: types.count)
    let kept = Set(outputs.map(\.value))
    let lastUses = lastUses
    for (index, node) in nodes.enumerated() {
      let operands = node.operands.map { values[$0.index]! }
      for operand in node.operands where lastUses[operand.index] == index {
        if !kept.contains(operand) { values[operand.index] = nil }
      }
      for (value, result) in zip(node.results, try step(node, operands))
      where lastUses[value.index] != nil || kept.contains(value) {
        values[value.index] = result
      }
    }
    return outputs.map { values[$0.value.index]! }
  }

  /// A graph with the same inputs and outputs whose other nodes `rewrite` replaces.
  ///
  /// `rewrite` appends to the new graph and returns the values that stand for the node's results.
  public func rewritten<Failure: Error>(
    _ rewrite: (inout Graph, Node, [Value]) throws(Failure) -> [Value]
  ) throws(Failure) -> Graph {
    var graph = Graph()
    let results = try interpret { (node, operands: [Value]) throws(Failure) in
      try rewrite(&graph, node, operands)
    }
    for (output, value) in zip(outputs, results) { graph.output(output.role, value) }
    return graph
  }
}
