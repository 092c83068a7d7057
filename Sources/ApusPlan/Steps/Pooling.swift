import ApusIR

extension Lowering {
  /// One image operand, one result: works in the layout the image has; eager images are
  /// channels-last.
  mutating func lowerInPlaceOfLayout(_ node: Node) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    let source = try imageOperand(node.operands[0])
    let value = node.results[0]
    place(
      value,
      emit(
        Step(.op(node.op), [source], [newOperand(graph[value], source.layout)], path: node.path)))
  }

  /// An image as it lies, in eager plans channels-last.
  mutating func imageOperand(_ value: Value) throws(PlanError) -> Operand {
    mode == .eager && graph[value].rank == 4
      ? try operand(value, in: .channelsLast) : try operand(value)
  }
}
