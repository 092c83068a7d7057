import ApusIR

extension Graph {
  /// The values that depend on parameters, states and constants alone and that no run changes.
  package var fixedValues: Set<Value> {
    let updated = updatedPaths
    var fixed: Set<Value> = []
    for node in nodes {
      switch node.op {
      case .input(let input):
        if let path = input.path, !updated.contains(path) { fixed.formUnion(node.results) }
      case .barrier: break
      default: if fixed.isSuperset(of: node.operands) { fixed.formUnion(node.results) }
      }
    }
    return fixed
  }
}
