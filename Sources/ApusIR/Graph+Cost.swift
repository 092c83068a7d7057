extension Op {
  /// Multiply–accumulate operations of the op, counted as the field does: convolutions and matrix
  /// products, without biases and element-wise work; `Int.max` where there are more.
  public func macs(_ operands: [TensorType], _ results: [TensorType]) -> Int {
    switch self {
    case .convolution:
      // Each output element takes one filter: [c/groups, kh, kw].
      saturatingProduct(results[0].elementCount, operands[1].shape.dropFirst().reduce(1, *))
    // The same products, summed in another order.
    case .convolutionInputGradient:
      saturatingProduct(operands[0].elementCount, operands[1].shape.dropFirst().reduce(1, *))
    case .convolutionFilterGradient:
      saturatingProduct(operands[1].elementCount, results[0].shape.dropFirst().reduce(1, *))
    case .dot(let dot):
      saturatingProduct(
        results[0].elementCount, dot.extents(operands[0].shape, operands[1].shape).k)
    case .input, .constant, .iota, .unary, .binary, .compare, .select, .convert, .activation,
      .activationGradient, .reshape, .transpose, .broadcast, .slice, .pad, .concatenate, .barrier,
      .reduce, .argMax, .pool, .poolGradient, .batchNorm, .batchNormTraining, .batchNormGradient,
      .activatedBatchNorm, .activatedBatchNormGradient, .localResponseNorm,
      .localResponseNormGradient:
      0
    }
  }
}

extension Graph {
  /// Multiply–accumulate operations of one run; `Int.max` where there are more.
  public var macs: Int {
    nodes.reduce(0) { sum, node in
      let macs = node.op.macs(node.operands.map { self[$0] }, node.results.map { self[$0] })
      let (total, overflow) = sum.addingReportingOverflow(macs)
      return overflow ? Int.max : total
    }
  }

  /// The number of trained values.
  public var parameterCount: Int {
    inputs.reduce(0) { sum, entry in
      if case .parameter = entry.input.role { sum + entry.input.type.elementCount } else { sum }
    }
  }
}

private func saturatingProduct(_ a: Int, _ b: Int) -> Int {
  let (product, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow ? Int.max : product
}
