import ApusIR

/// A graph cut in two: what depends on parameters alone, done once, and what every run does.
///
/// A backend that plans no preparation of its own computes the first part when it compiles.
/// Constants, broadcasts and whatever is larger than the parameters it is made from stay with the
/// run: they would only take memory.
public struct SplitGraph: Sendable {
  /// Parameters and states to the results that `run` reads; without results where none are made.
  public let preparation: Graph
  /// The original graph, with the preparation's results as parameters of the same names. The
  /// original's parameters that it still reads keep their paths.
  public let run: Graph

  public init(_ graph: Graph) throws(GraphError) {
    var splitting = Splitting(graph)
    for node in graph.nodes { try splitting.append(node) }
    (preparation, run) = try splitting.finish(graph.outputs)
  }
}

private struct Splitting {
  private let graph: Graph
  /// Fixed values that are worth keeping.
  private var prepared: Set<Value> = []
  private var preparation = Graph()
  private var run = Graph()
  private var inPreparation: [Value: Value] = [:]
  private var inRun: [Value: Value] = [:]
  private var makers: [Value: Node] = [:]

  init(_ graph: Graph) {
    self.graph = graph
    let fixed = graph.fixedValues
    var origins: [Value: Set<Value>] = [:]  // the parameters a fixed value is made from
    for node in graph.nodes where fixed.isSuperset(of: node.results) {
      var origin = Set(node.operands.flatMap { origins[$0] ?? [] })
      if case .input = node.op { origin.formUnion(node.results) }
      let size = origin.reduce(0) { $0 + graph[$1].sizeInBytes }
      for result in node.results {
        (makers[result], origins[result]) = (node, origin)
        if node.isWorthKeeping && graph[result].sizeInBytes <= size { prepared.insert(result) }
      }
    }
  }

  mutating func append(_ node: Node) throws(GraphError) {
    // What is fixed is appended where it is read.
    if makers[node.results[0]] != nil { return }
    var operands: [Value] = []
    for operand in node.operands { operands.append(try valueInRun(operand)) }
    let results = try run.append(node.op, operands, path: node.path)
    for (value, result) in zip(node.results, results) { inRun[value] = result }
  }

  mutating func finish(
    _ outputs: [Graph.Output]
  ) throws(GraphError) -> (preparation: Graph, run: Graph) {
    for output in outputs { run.output(output.role, try valueInRun(output.value)) }
    return (preparation, run)
  }

  private mutating func valueInRun(_ value: Value) throws(GraphError) -> Value {
    if let known = inRun[value] { return known }
    let maker = makers[value]!
    if prepared.contains(value) {
      let name = "prepared \(preparation.outputs.count)"
      preparation.output(.result(name), try valueInPreparation(value))
      inRun[value] = try run.append(
        .input(Input(.parameter(name), graph[value])), path: maker.path)[0]
    } else {
      var operands: [Value] = []
      for operand in maker.operands { operands.append(try valueInRun(operand)) }
      let results = try run.append(maker.op, operands, path: maker.path)
      for (value, result) in zip(maker.results, results) { inRun[value] = result }
    }
    return inRun[value]!
  }

  private mutating func valueInPreparation(_ value: Value) throws(GraphError) -> Value {
    if let known = inPreparation[value] { return known }
    let maker = makers[value]!
    var operands: [Value] = []
    for operand in maker.operands { operands.append(try valueInPreparation(operand)) }
    let results = try preparation.append(maker.op, operands, path: maker.path)
    for (value, result) in zip(maker.results, results) { inPreparation[value] = result }
    return inPreparation[value]!
  }
}

extension Node {
  /// Whether the result is other than an input or copies of one.
  fileprivate var isWorthKeeping: Bool {
    switch op {
    case .input, .broadcast: false
    default: true
    }
  }
}
