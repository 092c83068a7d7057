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

  /// A norm by the batch's statistics takes on the addition and the activation behind it.
  mutating func lowerBatchNormTraining(_ node: Node) throws(PlanError) {
    guard mode == .compiled,
      library.hasKernel(for: node.op, on: node.operands.map { graph[$0] })
    else { return try lowerInPlaceOfLayout(node) }
    let images = try imageOperand(node.operands[0])
    guard library.fuses(nil, intoTrainingNormOf: images) else {
      return try lowerInPlaceOfLayout(node)
    }
    var operands = [images]
    for value in node.operands.dropFirst() { operands.append(try operand(value, in: .rowMajor)) }
    var fusion = Fusion(result: node.results[0])
    absorbAddition(&fusion, sources: operands, layout: images.layout)
    absorbNormActivation(&fusion, of: node, images)
    let results =
      [newOperand(graph[fusion.result], images.layout)]
      + node.results.dropFirst().map { newOperand(graph[$0], .rowMajor) }
    emit(
      Step(
        .op(node.op), operands + fusion.operands, results, postOps: fusion.postOps,
        path: node.path))
    for (value, result) in zip([fusion.result] + node.results.dropFirst(), results) {
      place(value, result)
    }
  }

  /// The gradient of a norm, through the activation that was left to it.
  mutating func lowerBatchNormGradient(_ node: Node) throws(PlanError) {
    guard let (activation, gradient, offset) = activatedNorms[node.operands[4]] else {
      return try lowerInPlaceOfLayout(node)
    }
    let images = try imageOperand(node.operands[0])
    var operands = [images]
    for value in node.operands[1...3] { operands.append(try operand(value, in: .rowMajor)) }
    operands.append(try operand(gradient, in: images.layout))
    operands.append(try operand(offset, in: .rowMajor))
    let results =
      [newOperand(graph[node.results[0]], images.layout)]
      + node.results.dropFirst().map { newOperand(graph[$0], .rowMajor) }
    var step = Step(.op(node.op), operands, results, path: node.path)
    step.activation = activation
    emit(step)
    for (value, result) in zip(node.results, results) { place(value, result) }
  }

  /// Takes on the sum with an image that lies there already.
  private mutating func absorbAddition(
    _ fusion: inout Fusion, sources: [Operand], layout: Layout
  ) {
    guard let reader = soleReader(of: fusion.result), graph.nodes[reader].op == .binary(.add),
      let other = places[otherOperand(of: reader, than: fusion.result)], other.layout == layout,
      other.type == graph[fusion.result]
    else { return }
    absorbed.insert(reader)
    fusion.postOps.append(.binary(.add, operand: sources.count))
    fusion.operands.append(other)
    fusion.result = graph.nodes[reader].results[0]
  }

  /// Takes on the activation, and leaves its gradients to those of the norm where nothing else reads
  /// them.
  private mutating func absorbNormActivation(
    _ fusion: inout Fusion, of norm: Node, _ images: Operand
  ) {
    let input = fusion.result
    let gradients = readers[input.index].filter { isLeft($0, to: norm) }
    let others = readers[input.index].filter { !gradients.contains($0) }
    guard others.count == 1, let reader = others.first, reader < graph.nodes.count,
      case .activation(let activation) = graph.nodes[reader].op,
      library.fuses(activation, intoTrainingNormOf: images),
      gradients.isEmpty || input == norm.results[0]
    else { return }
    absorbed.insert(reader)
    fusion.postOps.append(.activation(activation))
    fusion.result = graph.nodes[reader].results[0]
    guard input == norm.results[0] else { return }
    for gradient in gradients + readers[fusion.result.index].filter({ isLeft($0, to: norm) }) {
      let node = graph.nodes[gradient]
      absorbed.insert(gradient)
      activatedNorms[node.results[0]] = (activation, node.operands[1], norm.operands[2])
    }
  }

  /// Whether the node is the gradient of an activation behind the norm, and all that reads it is the
  /// norm's own gradient.
  private func isLeft(_ index: Int, to norm: Node) -> Bool {
    guard index < graph.nodes.count, case .activationGradient = graph.nodes[index].op,
      let reader = soleReader(of: graph.nodes[index].results[0])
    else { return false }
    let (gradient, result) = (graph.nodes[reader], graph.nodes[index].results[0])
    guard case .batchNormGradient = gradient.op else { return false }
    return gradient.operands[0] == norm.operands[0] && gradient.operands[1] == norm.operands[1]
      && gradient.operands[2] == norm.results[1] && gradient.operands[3] == norm.results[2]
      && gradient.operands[4] == result
  }
}
