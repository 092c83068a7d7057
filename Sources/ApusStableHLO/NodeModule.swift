import ApusIR

/// A node as a program of its own, for execution node by node.
public struct NodeModule: Hashable, Sendable {
  /// The node's index into ``Graph/nodes``.
  public let node: Int
  /// Takes the node's operands, each as often as it is one, and gives its results; all lie in the
  /// standard order, ``PhysicalType/init(standard:)``.
  public let module: StableHLOModule
}

extension Emitter {
  /// One module for each node but the inputs, in the graph's order.
  ///
  /// Nodes with equal ops and operand types have equal text, so that one executable serves them.
  public func nodeModules(of graph: Graph) throws(EmitError) -> [NodeModule] {
    struct Key: Hashable {
      let op: Op
      let operands: [TensorType]
    }
    var known: [Key: StableHLOModule] = [:]
    var modules: [NodeModule] = []
    for (index, node) in graph.nodes.enumerated() {
      if case .input = node.op { continue }
      let key = Key(op: node.op, operands: node.operands.map { graph[$0] })
      let module: StableHLOModule
      if let made = known[key] {
        module = made
      } else {
        module = try self.module(for: Graph(of: node, in: graph))
        known[key] = module
      }
      modules.append(NodeModule(node: index, module: module))
    }
    return modules
  }
}

extension Graph {
  /// A node of a graph with an argument for each operand and its results as outputs.
  fileprivate init(of node: Node, in graph: Graph) {
    let operands = node.operands.map { graph[$0] }
    let inputs = operands.enumerated().map { index, type in
      Node(
        op: .input(Input(.argument("x\(index)"), type)), operands: [], results: [Value(index)])
    }
    let arguments = operands.indices.map { Value($0) }
    let results = node.results.indices.map { Value(operands.count + $0) }
    self.init(
      unverified: inputs + [Node(op: node.op, operands: arguments, results: results)],
      types: operands + node.results.map { graph[$0] },
      outputs: results.enumerated().map { Output(.result("y\($0)"), $1) })
  }
}
