import ApusIR

/// A 1×1 convolution and its activation, which the step of the depthwise convolution that reads the
/// result computes too.
struct Expansion {
  let node: Node
  let sources: [Operand]
  var postOps: [PostOp]
}

extension Lowering {
  /// Whether only a depthwise convolution reads the result of a 1×1 one, perhaps activated, and one
  /// kernel runs both.
  mutating func leaveToDepthwise(_ node: Node) throws(PlanError) -> Bool {
    guard mode == .compiled, let image = places[node.operands[0]], image.type.rank == 4 else {
      return false
    }
    var postOps: [PostOp] = []
    var (value, absorbing) = (node.results[0], Int?.none)
    if let reader = soleReader(of: value), case .activation(let first) = graph.nodes[reader].op {
      postOps.append(.activation(first))
      (value, absorbing) = (graph.nodes[reader].results[0], reader)
    }
    guard let index = soleReader(of: value), graph.nodes[index].operands[0] == value,
      library.fusesDepthwise(into: sketch(node, image, postOps, graph.nodes[index]))
    else { return false }
    var sources = [image]
    for value in node.operands.dropFirst() { sources.append(try operand(value, in: .rowMajor)) }
    if let absorbing { absorbed.insert(absorbing) }
    expanded[value] = Expansion(node: node, sources: sources, postOps: postOps)
    return true
  }

  /// The step of a 1×1 convolution and one that reads it, before its filters need be there.
  private func sketch(_ node: Node, _ image: Operand, _ postOps: [PostOp], _ next: Node) -> Step {
    let sources = node.operands.dropFirst() + next.operands.dropFirst()
    let filters = sources.map { Operand(buffer: -1, type: graph[$0], layout: .rowMajor) }
    let result = Operand(
      buffer: -1, type: graph[next.results[0]], layout: resultLayout(of: image))
    var step = Step(.op(node.op), [image] + filters, [result], postOps: postOps, path: next.path)
    if case .convolution(let convolution) = next.op {
      step.postOps.append(depthwise(convolution, next, after: node.operands.count))
    }
    return step
  }

  private func depthwise(_ convolution: Convolution, _ node: Node, after count: Int) -> PostOp {
    .depthwise(convolution, filter: count, bias: node.operands.count == 3 ? count + 1 : nil)
  }

  private func resultLayout(of image: Operand) -> Layout {
    imageLayout == .any ? image.layout : imageLayout
  }

  /// The step of a depthwise convolution and of the 1×1 one before it.
  mutating func lowerDepthwise(_ node: Node, _ expansion: Expansion) throws(PlanError) {
    guard case .convolution(let convolution) = node.op else {
      preconditionFailure("\(node.op.name) cannot follow a 1×1 convolution in one step")
    }
    var sources = expansion.sources
    let postOp = depthwise(convolution, node, after: sources.count)
    for value in node.operands.dropFirst() { sources.append(try operand(value, in: .rowMajor)) }
    var fusion = Fusion(result: node.results[0])
    let library = library
    absorbActivation(&fusion) { library.fusesWithScaleOrMean($0) }
    let result = newOperand(graph[fusion.result], resultLayout(of: sources[0]))
    var step = Step(
      .op(expansion.node.op), sources, [result],
      postOps: expansion.postOps + [postOp] + fusion.postOps, path: node.path)
    if let mean = mean(of: fusion, by: node) {
      var averaged = step
      averaged.results[0].layout = .channelsLast
      averaged.results.append(mean)
      if library.fusesDepthwise(into: averaged) { step = averaged }
    }
    step = try library.resolved(step)
    for position in sources.indices {
      step.operands[position] = reorder(
        sources[position], to: step.operands[position].layout, path: node.path)
    }
    if step.isAveraged { means[fusion.result] = step.results[1] }
    place(fusion.result, emit(step))
  }
}
