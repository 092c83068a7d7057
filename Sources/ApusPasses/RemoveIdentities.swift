import ApusIR

extension Pass {
  /// Drops nodes that return their operand unchanged.
  public static let removeIdentities = Pass("removeIdentities") { graph throws(GraphError) in
    try graph.rewritten { (rewritten, node, operands) throws(GraphError) in
      node.op.isIdentity(on: node.operands.map { graph[$0] })
        ? operands : try rewritten.append(node.op, operands, path: node.path)
    }
  }
}

extension Op {
  /// Whether the only result is the only operand.
  fileprivate func isIdentity(on operands: [TensorType]) -> Bool {
    switch self {
    case .convert(let dtype): return dtype == operands[0].dtype
    case .reshape(let shape): return shape == operands[0].shape
    case .transpose(let transpose):
      return transpose.permutation == Array(operands[0].shape.indices)
    case .broadcast(let broadcast): return broadcast.shape == operands[0].shape
    case .slice(let slice):
      return slice.starts.allSatisfy { $0 == 0 } && slice.ends == operands[0].shape.extents
        && slice.steps.allSatisfy { $0 == 1 }
    case .pad(let pad): return (pad.low + pad.high + pad.interior).allSatisfy { $0 == 0 }
    case .concatenate: return operands.count == 1
    case .reduce(let reduce): return reduce.axes.isEmpty
    case .pool(let pool):
      return pool.kernel == Size2D(1) && pool.stride == Size2D(1) && pool.padding == Padding2D(0)
    case .input, .constant, .iota, .unary, .binary, .compare, .select, .activation,
      .activationGradient, .barrier, .argMax, .dot, .convolution, .convolutionInputGradient,
      .convolutionFilterGradient, .poolGradient, .batchNorm, .batchNormTraining,
      .batchNormGradient, .activatedBatchNorm, .activatedBatchNormGradient, .localResponseNorm,
      .localResponseNormGradient:
      return false
    }
  }
}
