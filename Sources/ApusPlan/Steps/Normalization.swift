import ApusIR

extension Lowering {
  /// Works in the layout the image has; a rectifier after it is part of the kernel.
  mutating func lowerBatchNorm(_ node: Node, at index: Int) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    var operands = [try imageOperand(node.operands[0])]
    for value in node.operands.dropFirst() {
      operands.append(try operand(value, in: .rowMajor))
    }
    var fusion = Fusion(result: node.results[0])
    absorbActivation(&fusion) { $0 == .relu }
    let result = newOperand(graph[fusion.result], operands[0].layout)
    let step = Step(.op(node.op), operands, [result], postOps: fusion.postOps, path: node.path)
    place(fusion.result, emit(step))
  }
}
