import ApusIR

/// Collects the nodes that tensors record while a network is traced.
public final class GraphBuilder {
  public private(set) var graph = Graph()
  /// The path of the layer that made each value.
  private var paths: [String] = []
  private var declared: Set<Input.Role> = []
  /// The values that are parameters or states.
  private var stored: Set<Value> = []
  /// The first declaration that could not be made: `Scope` does not throw, `trace` does.
  private(set) var failedDeclaration: GraphError?

  init() {}

  /// Appends a node; its path is the layer whose parameter it reads, else its first operand's.
  func append(_ op: Op, _ operands: [Tensor]) throws -> [Tensor] {
    let values = operands.map(\.value)
    let path = layerPath(of: values)
    let results = try graph.append(op, values, path: path)
    paths += results.map { _ in path }
    return results.map { Tensor(self, $0) }
  }

  /// Declares an input. A second one of the same role, or one of an impossible type, fails the
  /// trace.
  func declare(_ input: Input) -> Tensor {
    let path = String(input.path?.split(separator: ".").dropLast().joined(separator: ".") ?? "")
    do throws(GraphError) {
      if input.isNamed && !declared.insert(input.role).inserted {
        throw GraphError(
          path: path, op: "input",
          violation: Violation(
            constraint: "C3", requirement: "each input is declared once",
            given: "a second \"\(input.name)\""),
          operands: [])
      }
      let results = try graph.append(.input(input), path: path)
      paths.append(path)
      if input.path != nil { stored.insert(results[0]) }
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

  func output(_ role: Graph.Output.Role, _ tensor: Tensor) {
    graph.output(role, tensor.value)
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
