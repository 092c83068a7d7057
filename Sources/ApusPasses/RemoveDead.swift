import ApusIR

extension Pass {
  /// Drops nodes that no output depends on. Inputs stay: they are the graph's interface.
  public static let removeDead = Pass("removeDead") { graph throws(GraphError) in
    var live = Set(graph.outputs.map(\.value))
    for node in graph.nodes.reversed() where node.results.contains(where: live.contains) {
      live.formUnion(node.operands)
    }
    // What only dead nodes read is never looked at again.
    let dropped = Value(-1)
    return try graph.rewritten { (rewritten, node, operands) throws(GraphError) in
      if case .input = node.op { return try rewritten.append(node.op, path: node.path) }
      guard node.results.contains(where: live.contains) else {
        return node.results.map { _ in dropped }
      }
      return try rewritten.append(node.op, operands, path: node.path)
    }
  }
}
