import ApusIR

extension Lowering {
  /// A static right operand takes the layout the kernel likes best.
  mutating func lowerDot(_ node: Node, at index: Int) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    let left = try operand(node.operands[0], in: .rowMajor)
    let right = try operand(node.operands[1], in: .rowMajor)
    let (activation, value) = absorbActivation(of: node)
    var step = Step(
      .op(node.op), [left, right], [newOperand(graph[value], .rowMajor)],
      activation: activation, path: node.path)
    if isStatic(right) && !isStatic(left) {
      step.operands[1].layout = .any
      step = try library.resolved(step)
      step.operands[1] = reorder(right, to: step.operands[1].layout, path: node.path)
    }
    place(value, emit(step))
  }
}
