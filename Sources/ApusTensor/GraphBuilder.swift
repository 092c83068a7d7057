import ApusIR

/// Collects the nodes that tensors record while a network is traced.
public final class GraphBuilder {
  public private(set) var graph = Graph()
  /// The path of the layer that made each value.
  private var paths: [String] = []
  /// The inputs that are known by a name or path, and the roles of the outputs.
  private var declared: Set<Input.Role> = []
  private var outputs: Set<Graph.Output.Role> = []
  /// The values that are parameters or states.
  private var stored: Set<Value> = []
  /// Their types, by path.
  private var storedTypes: [String: TensorType] = [:]
  /// The layer of the nodes to come, where it is not their operands that tell it.
  package var layer: String?
  /// The nodes that are computed again in a backward half, by their indices.
  package private(set) var segments: [Range<Int>] = []
  private var isInSegment = false
  /// The first declaration that could not be made: `Scope` does not throw, `trace` does.
  private(set) var failedDeclaration: GraphError?

  init() {}

  /// Appends a node; its path is the layer whose parameter it reads, else its first operand's.
  package func append(_ op: Op, _ operands: [Tensor]) throws -> [Tensor] {
    guard operands.allSatisfy({ $0.builder === self }) else {
      throw GraphError(
        path: "", op: op.name,
        violation: Violation(
          constraint: "C0", requirement: "all operands must be tensors of one trace",
          given: "a tensor of another"),
        operands: operands.map(\.type))
    }
    let values = operands.map(\.value)
    let path = layer ?? layerPath(of: values)
    let results = try graph.append(op, values, path: path)
    paths += results.map { _ in path }
    return results.map { Tensor(self, $0) }
  }

  /// Makes the nodes that `body` appends a segment; inside another one they are part of that.
  func segment<Result>(_ body: () throws -> Result) rethrows -> Result {
    if isInSegment { return try body() }
    let start = graph.nodes.count
    isInSegment = true
    defer {
      isInSegment = false
      segments.append(start..<graph.nodes.count)
    }
    return try body()
  }

  /// Declares an input. A second one of the same name or path, or one of an impossible type, fails
  /// the trace.
  func declare(_ input: Input) -> Tensor {
    let path = input.path.map(layerPath(ofParameter:)) ?? ""
    do throws(GraphError) {
      let isNew = input.path.map { storedTypes[$0] == nil } ?? true
      if input.isNamed && !(declared.insert(input.role).inserted && isNew) {
        throw GraphError(
          path: path, op: "input",
          violation: Violation(
            constraint: "C3", requirement: "each input is declared once",
            given: "a second \"\(input.name)\""),
          operands: [])
      }
      let results = try graph.append(.input(input), path: path)
      paths.append(path)
      if let stored = input.path {
        self.stored.insert(results[0])
        storedTypes[stored] = input.type
      }
      return Tensor(self, results[0])
    } catch {
      failedDeclaration = failedDeclaration ?? error
      // Stands in so that tracing can go on to its end, where the error is thrown.
      let unit = TensorType(input.type.dtype, Shape(input.type.shape.map { _ in 1 }))
      let values = try? graph.append(.constant(Constant(unit, repeating: 0)), path: path)
      paths.append(path)
      return Tensor(self, values?.first ?? Value(0))
    }
  }

  /// Adds an output. A second one of the same role, a tensor of another trace, or an update that no
  /// parameter or state of its type can take, fails the trace.
  func output(_ role: Graph.Output.Role, _ tensor: Tensor) {
    guard let failure = failure(of: role, tensor) else { return graph.output(role, tensor.value) }
    failedDeclaration = failedDeclaration ?? failure
  }

  /// Makes the updates so far depend on a condition, `bool[]`: where it does not hold, parameters and
  /// states stay as they are.
  package func limitUpdates(to condition: Tensor) throws {
    let old = Dictionary(
      graph.inputs.compactMap { input, value in input.path.map { ($0, Tensor(self, value)) } }
    ) { first, _ in first }
    var limited: [String: Value] = [:]
    for output in graph.outputs {
      guard case .update(let path) = output.role, let old = old[path] else { continue }
      let new = Tensor(self, output.value)
      limited[path] = try select(condition.broadcast(to: new.shape), new, old).value
    }
    graph.replaceUpdates { path, value in limited[path] ?? value }
  }

  private func failure(of role: Graph.Output.Role, _ tensor: Tensor) -> GraphError? {
    let (path, op, name) =
      switch role {
      case .result(let name): ("", "result", name)
      case .update(let path): (layerPath(ofParameter: path), "update", path)
      }
    func error(_ constraint: String, _ requirement: String, _ given: String) -> GraphError {
      GraphError(
        path: path, op: op,
        violation: Violation(constraint: constraint, requirement: requirement, given: given),
        operands: [])
    }
    if tensor.builder !== self {
      return error("C0", "\"\(name)\" must be a tensor of this trace", "a tensor of another")
    }
    if !outputs.insert(role).inserted {
      return error("C1", "each \(op) is given once", "a second \"\(name)\"")
    }
    if case .update = role, storedTypes[name] != tensor.type {
      return error(
        "C2", "\"\(name)\" must be a declared state or parameter of the new value's type",
        "\(tensor.type) for \(storedTypes[name].map(\.description) ?? "nothing")")
    }
    return nil
  }

  /// The path without its last word.
  private func layerPath(ofParameter path: String) -> String {
    path.split(separator: ".").dropLast().joined(separator: ".")
  }

  private func layerPath(of operands: [Value]) -> String {
    (operands.first(where: stored.contains) ?? operands.first).map { paths[$0.index] } ?? ""
  }
}

extension Input {
  /// Whether the input is known by a name or path; random inputs are not.
  fileprivate var isNamed: Bool {
    if case .random = role { false } else { true }
  }
}
