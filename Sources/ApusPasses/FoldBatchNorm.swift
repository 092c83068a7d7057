import ApusIR

extension Pass {
  /// Folds a batch norm with fixed statistics into the convolution before it:
  /// `filter′ = filter · s`, `bias′ = (bias − mean) · s + offset` with
  /// `s = scale / √(variance + ε)`, per output channel (Jacob et al. 2018, arXiv 1712.05877,
  /// section 3.2).
  ///
  /// The new filter and bias depend on parameters alone, so a backend computes them once. A
  /// convolution whose result anything else reads stays as it is.
  public static let foldBatchNorm = Pass("foldBatchNorm") { graph throws(GraphError) in
    var readers = [Int](repeating: 0, count: graph.types.count)
    for value in graph.nodes.flatMap(\.operands) + graph.outputs.map(\.value) {
      readers[value.index] += 1
    }
    let fixed = graph.fixedValues
    var convolutions: [Value: Node] = [:]  // by result, in the new graph
    return try graph.rewritten { (rewritten, node, operands) throws(GraphError) in
      switch node.op {
      case .convolution:
        let results = try rewritten.append(node.op, operands, path: node.path)
        if readers[node.results[0].index] == 1, fixed.isSuperset(of: node.operands.dropFirst()) {
          convolutions[results[0]] = Node(
            op: node.op, operands: operands, results: results, path: node.path)
        }
        return results
      case .batchNorm(let norm):
        guard let convolution = convolutions[operands[0]],
          fixed.isSuperset(of: node.operands.dropFirst())
        else { return try rewritten.append(node.op, operands, path: node.path) }
        return try rewritten.fold(norm, operands, into: convolution)
      default:
        return try rewritten.append(node.op, operands, path: node.path)
      }
    }
  }
}

extension Graph {
  /// Appends `scale / √(variance + ε)`, what a batch norm multiplies each channel with.
  mutating func appendFactor(
    of norm: BatchNorm, scale: Value, variance: Value, path: String
  ) throws(GraphError) -> Value {
    func apply(_ op: Op, _ operands: Value...) throws(GraphError) -> Value {
      try append(op, operands, path: path)[0]
    }
    let epsilon = try apply(.constant(Constant(self[variance], repeating: norm.epsilon)))
    let deviation = try apply(.unary(.sqrt), apply(.binary(.add), variance, epsilon))
    return try apply(.binary(.divide), scale, deviation)
  }

  /// Appends the convolution anew with the batch norm in its filter and bias.
  fileprivate mutating func fold(
    _ norm: BatchNorm, _ operands: [Value], into convolution: Node
  ) throws(GraphError) -> [Value] {
    let (scale, offset, mean, variance) = (operands[1], operands[2], operands[3], operands[4])
    let filter = convolution.operands[1]
    let path = convolution.path
    func apply(_ op: Op, _ operands: Value...) throws(GraphError) -> Value {
      try append(op, operands, path: path)[0]
    }
    let factor = try appendFactor(of: norm, scale: scale, variance: variance, path: path)
    let perFilter = try apply(.broadcast(Broadcast(to: self[filter].shape, axes: [0])), factor)
    let scaled = try apply(.binary(.multiply), filter, perFilter)
    let centre =
      convolution.operands.count == 3
      ? try apply(.binary(.subtract), mean, convolution.operands[2]) : mean
    let bias = try apply(.binary(.subtract), offset, apply(.binary(.multiply), centre, factor))
    return [try apply(convolution.op, convolution.operands[0], scaled, bias)]
  }
}
