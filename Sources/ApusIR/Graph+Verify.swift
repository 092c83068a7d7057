/// What is wrong with a graph that some pass produced: a bug in that pass.
public enum VerificationError: Error, Hashable, Sendable {
  /// A node reads a value that no earlier node makes.
  case undefinedOperand(node: Int, value: Value)
  /// A node's constraint does not hold.
  case invalid(node: Int, GraphError)
  /// The types recorded for a node's results are not those its op infers.
  case wrongTypes(node: Int, recorded: [TensorType], inferred: [TensorType])
  /// A node's results are not the next values in order.
  case misnumberedResults(node: Int)
  /// Two inputs or two outputs share a name or path.
  case duplicate(String)
  /// An update has no input to update, or one of another type.
  case danglingUpdate(String)
}

extension VerificationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .undefinedOperand(let node, let value): "node \(node) reads \(value) before it is made"
    case .invalid(let node, let error): "node \(node): \(error)"
    case .wrongTypes(let node, let recorded, let inferred):
      "node \(node) is recorded as \(recorded) but its op gives \(inferred)"
    case .misnumberedResults(let node): "node \(node) does not define the next values"
    case .duplicate(let name): "\"\(name)\" is declared twice"
    case .danglingUpdate(let path): "the update of \"\(path)\" has no input of its type"
    }
  }
}

extension Graph {
  /// Checks everything that holds for a graph by construction, after a rewrite.
  public func verify() throws(VerificationError) {
    var defined = 0
    for (index, node) in nodes.enumerated() {
      for operand in node.operands where !(0..<defined).contains(operand.index) {
        throw .undefinedOperand(node: index, value: operand)
      }
      guard node.results.map(\.index) == Array(defined..<defined + node.results.count),
        defined + node.results.count <= types.count
      else { throw .misnumberedResults(node: index) }
      let operandTypes = node.operands.map { self[$0] }
      let inferred: [TensorType]
      do {
        inferred = try node.op.resultTypes(operandTypes)
      } catch {
        throw .invalid(
          node: index,
          GraphError(
            path: node.path, op: node.op.name, violation: error, operands: operandTypes))
      }
      let recorded = node.results.map { self[$0] }
      if recorded != inferred {
        throw .wrongTypes(node: index, recorded: recorded, inferred: inferred)
      }
      defined += node.results.count
    }
    if defined != types.count { throw .misnumberedResults(node: nodes.count) }
    try verifyNames()
  }

  private func verifyNames() throws(VerificationError) {
    var names: Set<Input.Role> = []
    var stored: [String: TensorType] = [:]
    for (input, _) in inputs {
      if case .random = input.role { continue }
      if !names.insert(input.role).inserted { throw .duplicate(input.name) }
      if let path = input.path, stored.updateValue(input.type, forKey: path) != nil {
        throw .duplicate(path)
      }
    }
    var roles: Set<Output.Role> = []
    for output in outputs {
      if !types.indices.contains(output.value.index) {
        throw .undefinedOperand(node: nodes.count, value: output.value)
      }
      switch output.role {
      case .result(let name):
        if !roles.insert(output.role).inserted { throw .duplicate(name) }
      case .update(let path):
        if !roles.insert(output.role).inserted { throw .duplicate(path) }
        if stored[path] != self[output.value] { throw .danglingUpdate(path) }
      }
    }
  }
}
