import ApusIR
import ApusRuntime

/// A training whose numbers are NaN or infinite, and where the first of them is.
public struct NonFiniteError: Error, Hashable, Sendable {
  public enum Origin: Hashable, Sendable {
    /// What the caller gave.
    case argument(String)
    /// A parameter or state, by its path.
    case parameter(String)
    /// A result of an op of a layer, whose own operands were finite.
    case op(String, layer: String)
  }

  public let origin: Origin
}

extension NonFiniteError: CustomStringConvertible {
  public var description: String {
    let remedy =
      switch origin {
      case .argument: "look at the data and how it is prepared"
      case .parameter:
        "go on from an earlier state; UpdateRule(skipsNonFinite: true) keeps it from such steps"
      case .op:
        "try a smaller learning rate, a warm-up or clipped gradients; in fp16 a loss scaling"
      }
    return "training: all numbers must be finite, got the first NaN or infinity in \(origin)\n"
      + "  hint: \(remedy)"
  }
}

extension NonFiniteError.Origin: CustomStringConvertible {
  /// Where it is, in words.
  public var description: String {
    switch self {
    case .argument(let name): "argument \"\(name)\""
    case .parameter(let path): path
    case .op(let op, let layer): (layer.isEmpty ? "" : "\(layer): ") + op
    }
  }
}

/// Looks for the first number of a step that is NaN or infinite, where its loss has been: runs the
/// step again and looks at every value.
///
/// - Parameters:
///   - step: the graph of the step.
///   - state: what the step began from.
///   - arguments: what it was given.
/// - Returns: `nil` where all numbers are finite.
/// - Throws: what compiling and running throw.
public func firstNonFinite(
  in step: Graph, from state: TrainingState, _ arguments: [String: HostTensor],
  on backend: any Backend
) throws -> NonFiniteError? {
  let (graph, nodes) = try step.withFiniteChecks()
  let session = Session(backend, state.parameters) { _ in graph }
  session.restore(state)
  let sums = try session.run(arguments, batch: 0)
  let first = nodes.indices.first { index in
    sums["\(index)"].map { $0.doubles[0] != 0 } ?? false
  }
  return first.map { NonFiniteError(origin: NonFiniteError.Origin(nodes[$0])) }
}

extension NonFiniteError.Origin {
  fileprivate init(_ node: Node) {
    guard case .input(let input) = node.op else {
      self = .op(node.op.name, layer: node.path)
      return
    }
    switch input.role {
    case .parameter(let path), .state(let path): self = .parameter(path)
    case .argument, .random: self = .argument(input.name)
    }
  }
}

extension Graph {
  /// The same nodes, with a result for each floating-point value: 0 where all its elements are finite,
  /// else NaN. Results are named by their order, in which the nodes are that make the values.
  fileprivate func withFiniteChecks() throws(GraphError) -> (graph: Graph, nodes: [Node]) {
    var checked = Graph()
    var made: [Value: Value] = [:]
    var makers: [Node] = []
    for node in nodes {
      let results = try checked.append(
        node.op, node.operands.map { made[$0]! }, path: node.path)
      for (value, result) in zip(node.results, results) {
        made[value] = result
        if case .constant = node.op { continue }
        guard self[value].dtype.isFloatingPoint else { continue }
        checked.output(.result("\(makers.count)"), try checked.appendFiniteCheck(of: result))
        makers.append(node)
      }
    }
    return (checked, makers)
  }

  private mutating func appendFiniteCheck(of value: Value) throws(GraphError) -> Value {
    let type = self[value]
    let zero = try append(.constant(Constant(TensorType(type.dtype, []), repeating: 0)))
    let zeros = try append(.broadcast(Broadcast(to: type.shape, axes: [])), zero)
    let products = try append(.binary(.multiply), [value] + zeros)
    return try append(.reduce(Reduce(.sum, axes: Array(type.shape.indices))), products)[0]
  }
}
