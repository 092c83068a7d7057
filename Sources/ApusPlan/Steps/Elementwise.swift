import ApusIR

extension Lowering {
  /// Element by element in the layout of the first whole operand; a binary op reads broadcasts as
  /// views and takes on what follows it.
  mutating func lowerElementwise(_ node: Node, at index: Int) throws(PlanError) {
    let types = node.operands.map { graph[$0] }
    guard library.hasKernel(for: node.op, on: types) else { return try lowerRowMajor(node) }
    if try leaveToConvolution(node) || leaveToSum(node) { return }
    if !keepsLayout(node) { return try lowerWithNumbers(node) }
    var operands: [Operand] = []
    var layout: Layout?
    for (position, value) in broadcastLast(node).enumerated() {
      // Kernels broadcast the second operand only.
      if position == 1, let source = broadcastSource(value) {
        operands.append(source)
      } else {
        let whole = try operand(value)
        let common = layout ?? whole.layout
        operands.append(reorder(whole, to: common, path: node.path))
        layout = common
      }
    }
    var fusion = Fusion(result: node.results[0])
    if case .binary = node.op {
      try absorbChain(&fusion, sources: operands, layout: layout ?? .rowMajor)
    }
    let result = newOperand(graph[fusion.result], layout ?? .rowMajor)
    let step = Step(
      .op(node.op), operands + fusion.operands, [result], postOps: fusion.postOps, path: node.path)
    place(fusion.result, emit(step))
  }

  /// Whether it works in any layout. Only `float32` can be copied from one to another: what is
  /// rounded stays in that of images where it is widened at once.
  private func keepsLayout(_ node: Node) -> Bool {
    switch node.op {
    case .compare, .select: return false
    case .convert(let dtype):
      return broadcastSource(node.operands[0]) == nil
        && (dtype == .float32
          || readers[node.results[0].index].allSatisfy { reader in
            reader < graph.nodes.count && graph.nodes[reader].op == .convert(.float32)
          })
    case .input, .constant, .iota, .unary, .binary, .activation, .activationGradient, .reshape,
      .transpose, .broadcast, .slice, .pad, .concatenate, .barrier, .reduce, .argMax, .dot,
      .convolution, .convolutionInputGradient, .convolutionFilterGradient, .pool, .poolGradient,
      .batchNorm, .batchNormTraining, .batchNormGradient, .activatedBatchNorm,
      .activatedBatchNormGradient, .localResponseNorm, .localResponseNormGradient:
      return true
    }
  }

  /// A step on row-major tensors; what is one number for all elements is read as that.
  private mutating func lowerWithNumbers(_ node: Node) throws(PlanError) {
    var operands: [Operand] = []
    for value in node.operands {
      if let source = broadcastSource(value), source.type.elementCount == 1 {
        operands.append(source)
      } else {
        operands.append(try operand(value, in: .rowMajor))
      }
    }
    let value = node.results[0]
    let result = newOperand(graph[value], .rowMajor)
    place(value, emit(Step(.op(node.op), operands, [result], path: node.path)))
  }

  /// The operands, a broadcast after what is whole if they may change places.
  private func broadcastLast(_ node: Node) -> [Value] {
    guard case .binary(let binary) = node.op, binary.isCommutative,
      broadcastSource(node.operands[0]) != nil, broadcastSource(node.operands[1]) == nil
    else { return node.operands }
    return node.operands.reversed()
  }
}
