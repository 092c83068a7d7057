import ApusIR

extension Pass {
  /// Computes in a narrower floating-point type what a training step may
  /// (Micikevicius et al. 2018, arXiv 1710.03740).
  ///
  /// Products and convolutions do, with their gradients, and so does what lies between them. Parameters
  /// and states stay `float32`: a run rounds copies of them, and what is made of them and the gradients
  /// is exact. So are statistics and vectors of norms, exponentials, logarithms and roots, and what is
  /// made of a narrow number and a wide one: the loss and its scale, the optimiser.
  ///
  /// - Precondition: `dtype` is `bfloat16` or `float16`.
  public static func mixPrecision(to dtype: DType) -> Pass {
    precondition(dtype == .bfloat16 || dtype == .float16)
    return Pass("mixPrecision") { graph throws(GraphError) in
      var mixing = PrecisionMixing(graph, to: dtype)
      for node in graph.nodes { try mixing.append(node) }
      return try mixing.finish()
    }
  }
}

/// A graph on its way to two types.
private struct PrecisionMixing {
  private let original: Graph
  private let dtype: DType
  private var rewritten = Graph()
  /// What stands for a value in its own type, and in the narrower one; one of them was made first.
  private var wide: [Value: Value] = [:]
  private var narrow: [Value: Value] = [:]
  private var isNarrow: Set<Value> = []
  /// Constants and broadcasts of parameters take the type of what they meet.
  private var isFlexible: Set<Value> = []
  private var parameters: Set<Value> = []
  /// The nodes of flexible broadcasts.
  private var broadcasts: [Value: Node] = [:]

  init(_ graph: Graph, to dtype: DType) {
    original = graph
    self.dtype = dtype
  }

  mutating func append(_ node: Node) throws(GraphError) {
    note(node)
    if case .input(let input) = node.op {
      let isDrawn = if case .random = input.role { isFloat(node.results[0]) } else { false }
      let type = isDrawn ? TensorType(dtype, input.type.shape) : input.type
      let made = Input(input.role, type, initializer: input.initializer)
      let result = try rewritten.append(.input(made), path: node.path)
      return record(node.results, result, areNarrow: [isDrawn])
    }
    let choice = choice(node)
    var operands: [Value] = []
    for (operand, isNarrow) in zip(node.operands, choice.operands) {
      operands.append(try form(operand, isNarrow: isNarrow))
    }
    let results = try rewritten.append(node.op, operands, path: node.path)
    record(node.results, results, areNarrow: choice.results)
  }

  mutating func finish() throws(GraphError) -> Graph {
    for output in original.outputs {
      rewritten.output(output.role, try form(output.value, isNarrow: false))
    }
    return rewritten
  }

  private mutating func note(_ node: Node) {
    if case .input(let input) = node.op, case .parameter = input.role {
      parameters.formUnion(node.results)
    }
    if case .constant = node.op { isFlexible.formUnion(node.results) }
    if case .broadcast = node.op,
      isFlexible.contains(node.operands[0]) || parameters.contains(node.operands[0])
    {
      isFlexible.formUnion(node.results)
      broadcasts[node.results[0]] = node
    }
  }

  private mutating func record(_ values: [Value], _ made: [Value], areNarrow: [Bool]) {
    for ((value, made), isNarrow) in zip(zip(values, made), areNarrow) {
      if isNarrow {
        self.isNarrow.insert(value)
        narrow[value] = made
      } else {
        wide[value] = made
      }
    }
  }

  private func isFloat(_ value: Value) -> Bool { original[value].dtype == .float32 }

  /// A value as it was made, or as its own type or the narrower one wants it.
  private mutating func form(_ value: Value, isNarrow: Bool?) throws(GraphError) -> Value {
    let wanted = isFloat(value) ? isNarrow ?? self.isNarrow.contains(value) : false
    if let known = wanted ? narrow[value] : wide[value] { return known }
    if wanted, let node = broadcasts[value] {
      // The few values are rounded, not their many copies.
      let source = try form(node.operands[0], isNarrow: true)
      let copies = try rewritten.append(node.op, [source], path: node.path)[0]
      narrow[value] = copies
      return copies
    }
    let source = wanted ? wide[value] : narrow[value]
    let made = try rewritten.append(.convert(wanted ? dtype : .float32), [source!])[0]
    if wanted { narrow[value] = made } else { wide[value] = made }
    return made
  }

  /// Of each operand and result whether it is narrow; an operand of `nil` comes as it is.
  private typealias Choice = (operands: [Bool?], results: [Bool])

  private func choice(_ node: Node) -> Choice {
    switch node.op {
    case .input, .constant, .iota, .binary(.power): all(node, false)
    case .unary(let unary):
      switch unary {
      case .exp, .log, .log1p, .sqrt, .rsqrt: all(node, false)
      case .negate, .abs, .sign, .tanh, .logistic, .floor, .ceil: all(node, meetsNarrow(node))
      }
    case .binary, .compare, .select, .activation, .activationGradient, .reshape, .transpose,
      .broadcast, .slice, .pad, .concatenate, .reduce, .pool, .poolGradient, .localResponseNorm,
      .localResponseNormGradient, .batchNorm:
      all(node, meetsNarrow(node))
    case .convert, .argMax: (node.operands.map { _ in nil }, node.results.map { _ in false })
    case .barrier:
      (node.operands.map { _ in nil }, node.operands.map { isNarrow.contains($0) })
    case .dot, .convolution, .convolutionInputGradient, .convolutionFilterGradient:
      all(node, node.operands.allSatisfy(isFloat))
    case .batchNormTraining, .batchNormGradient, .activatedBatchNorm,
      .activatedBatchNormGradient:
      images(node, isNarrow.contains(node.operands[0]))
    }
  }

  private func all(_ node: Node, _ isNarrow: Bool) -> Choice {
    (node.operands.map { _ in isNarrow }, node.results.map { isNarrow && isFloat($0) })
  }

  /// Vectors of channels are exact.
  private func images(_ node: Node, _ isNarrow: Bool) -> Choice {
    (
      node.operands.map { isNarrow && original[$0].rank > 1 },
      node.results.map { isNarrow && original[$0].rank > 1 }
    )
  }

  /// Whether some operand is narrow and none must be wide.
  private func meetsNarrow(_ node: Node) -> Bool {
    let floats = node.operands.filter(isFloat)
    return floats.contains(where: isNarrow.contains)
      && floats.allSatisfy { isNarrow.contains($0) || isFlexible.contains($0) }
  }
}
