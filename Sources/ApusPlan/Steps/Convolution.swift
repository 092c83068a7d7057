import ApusIR

extension Lowering {
  /// The kernel chooses its filter's layout, and in compiled plans those of the images too.
  mutating func lowerConvolution(_ node: Node, at index: Int) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    var sources = [try operand(node.operands[0])]
    for value in node.operands.dropFirst() { sources.append(try operand(value, in: .rowMajor)) }
    var fusion = Fusion(result: node.results[0])
    absorbSum(&fusion, sources: sources, at: index)
    absorbActivation(&fusion)
    let shortcut = fusion.operands.first
    var result = newOperand(graph[fusion.result], shortcut?.layout ?? imageLayout)
    if let shortcut { result.buffer = shortcut.buffer }
    var step = Step(
      .op(node.op), sources + fusion.operands, [result], postOps: fusion.postOps, path: node.path)
    step.operands[0].layout = isPlainInput(sources[0]) ? .any : imageLayout
    step.operands[1].layout = .any
    step = try library.resolved(step)
    if library.reads(step, in: sources[0].layout) { step.operands[0].layout = sources[0].layout }
    for position in sources.indices {
      step.operands[position] = reorder(
        sources[position], to: step.operands[position].layout, path: node.path)
    }
    place(fusion.result, emit(step))
  }
  /// Images of a few channels, which compiled plans read as the caller gives them.
  private func isPlainInput(_ images: Operand) -> Bool {
    mode == .compiled && images.layout == .rowMajor && images.type.shape[1] < 16
  }
}
