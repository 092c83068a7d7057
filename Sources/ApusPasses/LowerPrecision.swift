import ApusIR

extension Pass {
  /// Computes in a narrower floating-point type what `float32` runs compute.
  ///
  /// Arguments and random inputs are taken in that type. Parameters, states and the arithmetic on
  /// them alone keep `float32` and are rounded once, where a run first reads them. Outputs are
  /// converted back, so that what leaves the graph keeps its type.
  ///
  /// - Precondition: `dtype` is `bfloat16` or `float16`.
  public static func lowerPrecision(to dtype: DType) -> Pass {
    precondition(dtype == .bfloat16 || dtype == .float16)
    return Pass("lowerPrecision") { graph throws(GraphError) in
      var lowering = PrecisionLowering(graph, to: dtype)
      for node in graph.nodes { try lowering.append(node) }
      return try lowering.finish(graph.outputs)
    }
  }
}

/// A graph on its way to a narrower type.
private struct PrecisionLowering {
  private let original: Graph
  private let dtype: DType
  private let fixed: Set<Value>
  /// The node of each value that is fixed.
  private var makers: [Value: Node] = [:]
  private var rewritten = Graph()
  /// What stands for a value in its own type, and in the narrower one.
  private var exact: [Value: Value] = [:]
  private var narrow: [Value: Value] = [:]

  init(_ graph: Graph, to dtype: DType) {
    original = graph
    self.dtype = dtype
    fixed = graph.fixedValues
    for node in graph.nodes {
      for result in node.results where fixed.contains(result) { makers[result] = node }
    }
  }

  mutating func append(_ node: Node) throws(GraphError) {
    if case .input(let input) = node.op {
      try append(input, node)
    } else if fixed.isSuperset(of: node.results) {
      let results = try rewritten.append(
        node.op, node.operands.map { exact[$0]! }, path: node.path)
      for (value, result) in zip(node.results, results) { exact[value] = result }
    } else {
      var operands: [Value] = []
      for operand in node.operands { operands.append(try narrowed(operand)) }
      let results = try rewritten.append(op(of: node), operands, path: node.path)
      for (value, result) in zip(node.results, results) { narrow[value] = result }
    }
  }

  mutating func finish(_ outputs: [Graph.Output]) throws(GraphError) -> Graph {
    for output in outputs {
      var value = exact[output.value] ?? narrow[output.value]!
      let type = original[output.value].dtype
      if rewritten[value].dtype != type { value = try rewritten.append(.convert(type), [value])[0] }
      rewritten.output(output.role, value)
    }
    return rewritten
  }

  private mutating func append(_ input: Input, _ node: Node) throws(GraphError) {
    var input = input
    let keepsType = input.path != nil || input.type.dtype != .float32
    if !keepsType { input = Input(input.role, TensorType(dtype, input.type.shape)) }
    let result = try rewritten.append(.input(input), path: node.path)[0]
    if keepsType { exact[node.results[0]] = result } else { narrow[node.results[0]] = result }
  }

  /// A conversion to `float32` becomes one to the narrower type.
  private func op(of node: Node) -> Op {
    node.op == .convert(.float32) ? .convert(dtype) : node.op
  }

  /// What stands for a value where a run reads it.
  private mutating func narrowed(_ value: Value) throws(GraphError) -> Value {
    if let known = narrow[value] { return known }
    let result: Value
    if original[value].dtype != .float32 {
      result = exact[value]!
    } else if let maker = makers[value], case .broadcast = maker.op {
      // The few values are rounded, not their many copies.
      result = try rewritten.append(
        maker.op, [try narrowed(maker.operands[0])], path: maker.path)[0]
    } else if let maker = makers[value], case .constant(let constant) = maker.op {
      let type = TensorType(dtype, constant.type.shape)
      result = try rewritten.append(.constant(Constant(type, constant.values)), path: maker.path)[0]
    } else {
      result = try rewritten.append(.convert(dtype), [exact[value]!])[0]
    }
    narrow[value] = result
    return result
  }
}
