import ApusIR

extension Lowering {
  /// Element by element in the layout of the first whole operand; a binary op reads broadcasts as
  /// views and may apply an activation to its result.
  mutating func lowerElementwise(_ node: Node, at index: Int) throws(PlanError) {
    let types = node.operands.map { graph[$0] }
    guard library.hasKernel(for: node.op, on: types) else { return try lowerRowMajor(node) }
    var operands: [Operand] = []
    var layout: Layout?
    for (position, value) in node.operands.enumerated() {
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
    var (activation, value): (Activation?, Value) = (nil, node.results[0])
    if case .binary = node.op { (activation, value) = absorbActivation(of: node) }
    let result = newOperand(graph[value], layout ?? .rowMajor)
    place(
      value,
      emit(Step(.op(node.op), operands, [result], activation: activation, path: node.path)))
  }
}
