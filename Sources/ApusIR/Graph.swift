/// A value of a graph: the result of a node, by its index into ``Graph/types``.
public struct Value: Hashable, Sendable {
  public let index: Int

  public init(_ index: Int) { self.index = index }
}

extension Value: CustomStringConvertible {
  public var description: String { "%\(index)" }
}

/// An op applied to values.
public struct Node: Hashable, Sendable {
  public let op: Op
  public let operands: [Value]
  public let results: [Value]
  /// The layer it belongs to, as the prefix of that layer's parameter paths.
  public let path: String

  public init(op: Op, operands: [Value], results: [Value], path: String = "") {
    self.op = op
    self.operands = operands
    self.results = results
    self.path = path
  }
}

/// A pure function as a flat list of nodes in topological order.
public struct Graph: Hashable, Sendable {
  /// What leaves the graph.
  public struct Output: Hashable, Sendable {
    public enum Role: Hashable, Sendable {
      /// Returned to the caller under a name.
      case result(String)
      /// Becomes the value of the input with this path before the next run.
      case update(String)
    }

    public let role: Role
    public let value: Value

    public init(_ role: Role, _ value: Value) {
      self.role = role
      self.value = value
    }
  }

  public private(set) var nodes: [Node] = []
  /// The type of every value, by its index.
  public private(set) var types: [TensorType] = []
  public private(set) var outputs: [Output] = []

  public init() {}

  /// A graph of parts that nothing has checked yet; see ``verify()``.
  package init(unverified nodes: [Node], types: [TensorType], outputs: [Output]) {
    self.nodes = nodes
    self.types = types
    self.outputs = outputs
  }

  /// The type of a value.
  public subscript(value: Value) -> TensorType { types[value.index] }

  /// Appends a node and returns its results.
  ///
  /// - Precondition: the operands are values of this graph.
  /// - Throws: the constraint of the op that does not hold.
  @discardableResult
  public mutating func append(
    _ op: Op, _ operands: [Value] = [], path: String = ""
  ) throws(GraphError) -> [Value] {
    let operandTypes = operands.map { self[$0] }
    let resultTypes: [TensorType]
    do {
      resultTypes = try op.resultTypes(operandTypes)
    } catch {
      throw GraphError(path: path, op: op.name, violation: error, operands: operandTypes)
    }
    let results = resultTypes.indices.map { Value(types.count + $0) }
    types += resultTypes
    nodes.append(Node(op: op, operands: operands, results: results, path: path))
    return results
  }

  /// Adds an output.
  public mutating func output(_ role: Output.Role, _ value: Value) {
    precondition(value.index < types.count)
    outputs.append(Output(role, value))
  }

  /// Gives each update the value that `body` makes of its path and value.
  package mutating func replaceUpdates(_ body: (String, Value) -> Value) {
    outputs = outputs.map { output in
      guard case .update(let path) = output.role else { return output }
      return Output(output.role, body(path, output.value))
    }
  }

  /// The inputs in order of declaration, with their values.
  public var inputs: [(input: Input, value: Value)] {
    nodes.compactMap { node in
      if case .input(let input) = node.op { (input, node.results[0]) } else { nil }
    }
  }

  /// The paths of the parameters and states that a run updates.
  public var updatedPaths: Set<String> {
    Set(
      outputs.compactMap { output in
        if case .update(let path) = output.role { path } else { nil }
      })
  }

  /// For each value, the index of the last node that reads it; `nil` where none does.
  public var lastUses: [Int?] {
    var uses = [Int?](repeating: nil, count: types.count)
    for (index, node) in nodes.enumerated() {
      for operand in node.operands { uses[operand.index] = index }
    }
    return uses
  }
}
