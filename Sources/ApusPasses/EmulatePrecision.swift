import ApusIR

extension Pass {
  /// Computes in `float32` what a graph computes in a narrower floating-point type, and rounds every
  /// result to that: for machines that have no arithmetic of the type.
  ///
  /// Inputs of that type become `float32` too; results keep their types.
  ///
  /// - Precondition: `dtype` is `bfloat16` or `float16`.
  public static func emulatePrecision(_ dtype: DType) -> Pass {
    precondition(dtype == .bfloat16 || dtype == .float16)
    return Pass("emulatePrecision") { graph throws(GraphError) in
      var emulation = PrecisionEmulation(graph, of: dtype)
      for node in graph.nodes { try emulation.append(node) }
      return try emulation.finish()
    }
  }
}

/// A graph on its way to `float32`.
private struct PrecisionEmulation {
  private let original: Graph
  private let dtype: DType
  private var rewritten = Graph()
  private var made: [Value: Value] = [:]

  init(_ graph: Graph, of dtype: DType) {
    original = graph
    self.dtype = dtype
  }

  mutating func append(_ node: Node) throws(GraphError) {
    let operands = node.operands.map { made[$0]! }
    if case .convert(let target) = node.op, let operand = operands.first {
      made[node.results[0]] = try converted(operand, to: target)
      return
    }
    let results = try rewritten.append(op(of: node), operands, path: node.path)
    for (value, result) in zip(node.results, results) {
      made[value] = isNarrow(value) && node.op.rounds ? try rounded(result) : result
    }
  }

  mutating func finish() throws(GraphError) -> Graph {
    for output in original.outputs {
      let value = made[output.value]!
      let result =
        isNarrow(output.value) ? try rewritten.append(.convert(dtype), [value])[0] : value
      rewritten.output(output.role, result)
    }
    return rewritten
  }

  private func isNarrow(_ value: Value) -> Bool { original[value].dtype == dtype }

  private mutating func rounded(_ value: Value) throws(GraphError) -> Value {
    let narrow = try rewritten.append(.convert(dtype), [value])
    return try rewritten.append(.convert(.float32), narrow)[0]
  }

  private mutating func converted(_ value: Value, to target: DType) throws(GraphError) -> Value {
    let type = target == dtype ? .float32 : target
    let isSame = rewritten[value].dtype == type
    let result = isSame ? value : try rewritten.append(.convert(type), [value])[0]
    return target == dtype ? try rounded(result) : result
  }

  /// The op with `float32` where it names the type.
  private func op(of node: Node) -> Op {
    func widened(_ type: TensorType) -> TensorType {
      type.dtype == dtype ? TensorType(.float32, type.shape) : type
    }
    if case .input(let input) = node.op {
      return .input(Input(input.role, widened(input.type), initializer: input.initializer))
    }
    if case .constant(let constant) = node.op {
      return .constant(Constant(widened(constant.type), constant.values))
    }
    if case .iota(let iota) = node.op {
      return .iota(Iota(widened(iota.type), axis: iota.axis))
    }
    return node.op
  }
}

extension Op {
  /// Whether results may be other numbers than there are among the operands.
  fileprivate var rounds: Bool {
    switch self {
    case .reshape, .transpose, .broadcast, .slice, .concatenate, .barrier, .select: false
    case .input, .constant, .iota, .unary, .binary, .compare, .convert, .activation,
      .activationGradient, .pad, .reduce, .argMax, .dot, .convolution, .convolutionInputGradient,
      .convolutionFilterGradient, .pool, .poolGradient, .batchNorm, .batchNormTraining,
      .batchNormGradient, .activatedBatchNorm, .activatedBatchNormGradient, .localResponseNorm,
      .localResponseNormGradient:
      true
    }
  }
}
