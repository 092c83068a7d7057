import ApusIR
import ApusRuntime

/// One row of the table that drives the suites: an op on certain operands.
public struct OpCase: Sendable {
  /// Unique in the table.
  public let name: String
  public let op: Op
  /// What the op is applied to; for an input, the value it is given.
  public let operands: [OperandSpec]
  /// How far a `float32` implementation may be from the reference.
  public let tolerance: Tolerance

  public init(_ name: String, _ op: Op, _ operands: [OperandSpec], _ tolerance: Tolerance) {
    self.name = name
    self.op = op
    self.operands = operands
    self.tolerance = tolerance
  }

  /// Every row: each op with the attributes that matter.
  public static let all: [OpCase] =
    source + elementwise + activation + arranging + reduction + contraction + convolution + pooling
    + normalization

  /// A graph with an input for each operand (arguments "x0", "x1", …), the op, and its results as
  /// outputs "y0", "y1", ….
  public func graph() throws(GraphError) -> Graph {
    var graph = Graph()
    var results: [Value] = []
    if case .input = op {
      results = try graph.append(op)
    } else {
      var inputs: [Value] = []
      for (index, operand) in operands.enumerated() {
        inputs += try graph.append(.input(Input(.argument("x\(index)"), operand.type)))
      }
      results = try graph.append(op, inputs)
    }
    for (index, result) in results.enumerated() { graph.output(.result("y\(index)"), result) }
    return graph
  }

  /// Values for the graph's inputs, in their order.
  public func inputs(seed: UInt64) -> [HostTensor] {
    var random = RandomTensors(seed: seed)
    return operands.map { random.tensor($0) }
  }
}

extension OpCase: CustomStringConvertible {
  public var description: String { name }

  /// The row as the script that asks PyTorch reads it.
  public func listing() throws(GraphError) -> String {
    let graph = try graph()
    let lines =
      ["case \(name)"] + operands.map { "  operand \($0)" }
      + ["  op \(op.name) {\(op.attributes)}"]
      + graph.outputs.map { "  result \(graph[$0.value])" }
    return lines.joined(separator: "\n")
  }
}
