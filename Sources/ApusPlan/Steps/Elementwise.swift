import ApusIR

extension Lowering {
  /// Element by element in the layout of the first whole operand; a binary op reads broadcasts as
  /// views and takes on what follows it.
  mutating func lowerElementwise(_ node: Node, at index: Int) throws(PlanError) {
    let types = node.operands.map { graph[$0] }
    guard library.hasKernel(for: node.op, on: types) else { return try lowerRowMajor(node) }
    if try leaveToConvolution(node) || leaveToSum(node) { return }
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

  /// The operands, a broadcast after what is whole if they may change places.
  private func broadcastLast(_ node: Node) -> [Value] {
    guard case .binary(let binary) = node.op, binary.isCommutative,
      broadcastSource(node.operands[0]) != nil, broadcastSource(node.operands[1]) == nil
    else { return node.operands }
    return node.operands.reversed()
  }
}
