import ApusIR

extension Lowering {
  /// A static right operand takes the layout the kernel likes best.
  mutating func lowerDot(_ node: Node, at index: Int) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    let left = try operand(node.operands[0], in: .rowMajor)
    let right = try operand(node.operands[1], in: .rowMajor)
    var fusion = Fusion(result: node.results[0])
    try absorbChain(&fusion, sources: [left, right], layout: .rowMajor)
    let result = newOperand(graph[fusion.result], .rowMajor)
    var step = Step(
      .op(node.op), [left, right] + fusion.operands, [result], postOps: fusion.postOps,
      path: node.path)
    if isStatic(right) && !isStatic(left) {
      step.operands[1].layout = .any
      step = try library.resolved(step)
      step.operands[1] = reorder(right, to: step.operands[1].layout, path: node.path)
    }
    place(fusion.result, emit(step))
  }
}
