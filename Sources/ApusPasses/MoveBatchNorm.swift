import ApusIR

extension Pass {
  /// Normalises what a concatenation joins instead of the whole, where a convolution makes some of it:
  /// that one can then take its share of the batch norm in (``foldBatchNorm``).
  ///
  /// Statistics must be fixed, and nothing else may read the concatenation.
  public static let splitBatchNorm = Pass("splitBatchNorm") { graph throws(GraphError) in
    let makers = graph.soleReadMakers
    let fixed = graph.fixedValues
    return try graph.rewritten { (rewritten, node, operands) throws(GraphError) in
      guard case .batchNorm(let norm) = node.op, let joined = makers[node.operands[0]],
        case .concatenate(let concatenate) = joined.op, concatenate.axis == 1,
        fixed.isSuperset(of: node.operands.dropFirst()),
        joined.operands.contains(where: { makers[$0]?.op.isConvolution ?? false }),
        let whole = rewritten.nodes.last(where: { $0.results[0] == operands[0] })
      else { return try rewritten.append(node.op, operands, path: node.path) }
      var (parts, start) = ([Value](), 0)
      for part in whole.operands {
        let end = start + rewritten[part].shape[1]
        var of = [part]
        for vector in operands.dropFirst() {
          let slice = Slice(starts: [start], ends: [end])
          of += try rewritten.append(.slice(slice), [vector], path: node.path)
        }
        parts += try rewritten.append(.batchNorm(norm), of, path: node.path)
        start = end
      }
      return try rewritten.append(whole.op, parts, path: whole.path)
    }
  }

  /// Folds a batch norm with fixed statistics into the convolution that alone reads it:
  /// `filter′ = filter · s`, `bias′ = bias + Σ filter · t`, with `s = scale / √(variance + ε)` and
  /// `t = offset − mean · s` per input channel.
  ///
  /// Only where the convolution neither pads, since zeros are added behind the batch norm, nor has
  /// groups.
  public static let foldBatchNormAhead = Pass("foldBatchNormAhead") { graph throws(GraphError) in
    let makers = graph.soleReadMakers
    let fixed = graph.fixedValues
    return try graph.rewritten { (rewritten, node, operands) throws(GraphError) in
      guard case .convolution(let convolution) = node.op, convolution.groups == 1,
        convolution.padding == Padding2D(0), fixed.isSuperset(of: node.operands.dropFirst()),
        let maker = makers[node.operands[0]], case .batchNorm(let norm) = maker.op,
        fixed.isSuperset(of: maker.operands.dropFirst()),
        let before = rewritten.nodes.last(where: { $0.results[0] == operands[0] })
      else { return try rewritten.append(node.op, operands, path: node.path) }
      return try rewritten.fold(norm, before.operands, ahead: node, operands)
    }
  }
}

extension Graph {
  /// The nodes that make values which one operand of one node reads and nothing else.
  fileprivate var soleReadMakers: [Value: Node] {
    var readers = [Int](repeating: 0, count: types.count)
    for value in nodes.flatMap(\.operands) + outputs.map(\.value) { readers[value.index] += 1 }
    var makers: [Value: Node] = [:]
    for node in nodes {
      for result in node.results where readers[result.index] == 1 { makers[result] = node }
    }
    return makers
  }

  /// Appends the convolution with the batch norm before it in its filter and bias.
  ///
  /// - Parameter operands: the convolution's.
  fileprivate mutating func fold(
    _ norm: BatchNorm, _ normOperands: [Value], ahead convolution: Node, _ operands: [Value]
  ) throws(GraphError) -> [Value] {
    let (scale, offset, mean, variance) = (
      normOperands[1], normOperands[2], normOperands[3], normOperands[4]
    )
    let (filter, path) = (operands[1], convolution.path)
    func apply(_ op: Op, _ operands: Value...) throws(GraphError) -> Value {
      try append(op, operands, path: path)[0]
    }
    let perInput = Broadcast(to: self[filter].shape, axes: [1])
    let factor = try appendFactor(of: norm, scale: scale, variance: variance, path: path)
    let shift = try apply(
      .binary(.subtract), offset, apply(.binary(.multiply), mean, factor))
    let scaled = try apply(.binary(.multiply), filter, apply(.broadcast(perInput), factor))
    let shifts = try apply(.binary(.multiply), filter, apply(.broadcast(perInput), shift))
    var bias = try apply(.reduce(Reduce(.sum, axes: [1, 2, 3])), shifts)
    if operands.count == 3 { bias = try apply(.binary(.add), operands[2], bias) }
    return [try apply(convolution.op, normOperands[0], scaled, bias)]
  }
}

extension Op {
  fileprivate var isConvolution: Bool {
    if case .convolution = self { true } else { false }
  }
}
