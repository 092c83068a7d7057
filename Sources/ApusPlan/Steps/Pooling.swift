import ApusIR

extension Lowering {
  /// Images in, images out: works in the layout that the first operand has; eager images are
  /// channels-last. What belongs to whole channels is row-major.
  ///
  /// - Parameter joinsChannels: whether the kernel reads vectors of channels, none of them padding.
  mutating func lowerInPlaceOfLayout(
    _ node: Node, joinsChannels: Bool = false
  ) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    var first = try imageOperand(node.operands[0])
    if joinsChannels && first.type.rank == 4 && (first.layout == .rowMajor || !isDense(first)) {
      first = reorder(first, to: .channelsLast, path: node.path)
    }
    func layout(_ value: Value) -> Layout { graph[value].rank == 1 ? .rowMajor : first.layout }
    var operands = [first]
    for value in node.operands.dropFirst() {
      operands.append(try operand(value, in: layout(value)))
    }
    let results = node.results.map { newOperand(graph[$0], layout($0)) }
    emit(Step(.op(node.op), operands, results, path: node.path))
    for (value, result) in zip(node.results, results) { place(value, result) }
  }

  /// An image as it lies, in eager plans channels-last.
  mutating func imageOperand(_ value: Value) throws(PlanError) -> Operand {
    mode == .eager && graph[value].rank == 4
      ? try operand(value, in: .channelsLast) : try operand(value)
  }
}
