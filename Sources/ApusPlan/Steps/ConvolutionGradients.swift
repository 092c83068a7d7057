import ApusIR

extension Lowering {
  /// Images and gradients stay in the layouts they have if the kernel is fast in them.
  mutating func lowerConvolutionInputGradient(_ node: Node) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    let value = node.results[0]
    let sources = [
      try operand(node.operands[0]), try operand(node.operands[1], in: .rowMajor),
    ]
    var step = Step(
      .op(node.op), sources, [newOperand(graph[value], imageLayout)], path: node.path)
    step.operands[0].layout = gradientLayout(sources[0])
    step.operands[1].layout = .any
    place(value, try emit(step, reading: sources))
  }

  /// A filter's gradient leaves row-major, as the filter came; that of the bias comes with it.
  mutating func lowerConvolutionFilterGradient(_ node: Node) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    let (value, gradient) = (node.results[0], node.operands[1])
    let sources = [try operand(node.operands[0]), try operand(gradient)]
    var step = Step(.op(node.op), sources, [newOperand(graph[value], .any)], path: node.path)
    for position in sources.indices {
      step.operands[position].layout = gradientLayout(sources[position])
    }
    let needsSum = readers[gradient.index].contains { reader in
      guard reader < graph.nodes.count, case .reduce(let reduce) = graph.nodes[reader].op else {
        return false
      }
      return reduce.isChannelSum
    }
    if needsSum && mode == .compiled && channelSums[gradient] == nil {
      let type = graph[gradient]
      let sum = newOperand(TensorType(type.dtype, [type.shape[1]]), .rowMajor)
      step.results.append(sum)
      channelSums[gradient] = sum
    }
    place(value, reorder(try emit(step, reading: sources), to: .rowMajor, path: node.path))
  }

  /// The layout to ask for: of row-major images that of all others.
  private func gradientLayout(_ source: Operand) -> Layout {
    guard source.layout == .rowMajor else { return source.layout }
    return isPlainInput(source) ? .any : imageLayout
  }

  private mutating func emit(_ step: Step, reading sources: [Operand]) throws(PlanError) -> Operand
  {
    var step = try library.resolved(step)
    for position in sources.indices {
      step.operands[position] = reorder(
        sources[position], to: step.operands[position].layout, path: step.path)
    }
    return emit(step)
  }
}
