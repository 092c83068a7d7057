import ApusIR

extension Pass {
  /// Computes equal nodes once (common subexpression elimination). Barriers stay apart.
  public static let mergeCommon = Pass("mergeCommon") { graph throws(GraphError) in
    struct Key: Hashable {
      let op: Op
      let operands: [Value]
    }
    var known: [Key: [Value]] = [:]
    return try graph.rewritten { (rewritten, node, operands) throws(GraphError) in
      let key = Key(op: node.op, operands: operands)
      if let results = known[key] { return results }
      let results = try rewritten.append(node.op, operands, path: node.path)
      if node.op.merges { known[key] = results }
      return results
    }
  }
}

extension Op {
  fileprivate var merges: Bool {
    switch self {
    case .input, .barrier: false
    default: true
    }
  }
}
