import ApusIR

extension Lowering {
  /// The kernel chooses its filter's layout, and in compiled plans those of the images too.
  mutating func lowerConvolution(_ node: Node, at index: Int) throws(PlanError) {
    guard library.hasKernel(for: node.op, on: node.operands.map { graph[$0] }) else {
      return try lowerRowMajor(node)
    }
    if try leaveToDepthwise(node) { return }
    if let expansion = expanded[node.operands[0]] { return try lowerDepthwise(node, expansion) }
    let scaled = scaled[node.operands[0]]
    var sources: [Operand] = []
    if let scaled { sources = [scaled.image] } else { sources = [try operand(node.operands[0])] }
    for value in node.operands.dropFirst() { sources.append(try operand(value, in: .rowMajor)) }
    var fusion = Fusion(result: node.results[0])
    let library = library
    absorbSum(
      &fusion, sources: sources, at: index, layout: scaled == nil ? nil : .channelsLast)
    absorbActivation(&fusion) { scaled == nil || library.fusesWithScaleOrMean($0) }
    let shortcut = fusion.operands.first
    var result = newOperand(graph[fusion.result], shortcut?.layout ?? imageLayout)
    if let shortcut { result.buffer = shortcut.buffer }
    var step = Step(
      .op(node.op), sources + fusion.operands, [result], postOps: fusion.postOps, path: node.path)
    if let scaled {
      step.isScaled = true
      step.operands.append(scaled.factors)
    }
    if let mean = mean(of: fusion, by: node) { step.results.append(mean) }
    step.operands[0].layout = isPlainInput(sources[0]) ? .any : imageLayout
    step.operands[1].layout = .any
    step = try library.resolved(step)
    if library.reads(step, in: sources[0].layout) { step.operands[0].layout = sources[0].layout }
    for position in sources.indices {
      step.operands[position] = reorder(
        sources[position], to: step.operands[position].layout, path: node.path)
    }
    if step.isAveraged { means[fusion.result] = step.results[1] }
    place(fusion.result, emit(step))
  }

  /// Where the kernel of a convolution leaves the mean of its result too, if that is asked for.
  mutating func mean(of fusion: Fusion, by node: Node) -> Operand? {
    let reader = readers[fusion.result.index].first { reader in
      guard reader < graph.nodes.count, case .reduce(let reduce) = graph.nodes[reader].op else {
        return false
      }
      return reduce.isGlobalMean
    }
    let activates = fusion.postOps.allSatisfy { postOp in
      if case .activation(let activation) = postOp {
        library.fusesWithScaleOrMean(activation)
      } else {
        false
      }
    }
    guard let reader, isFree, activates,
      library.fusesMean(into: node.op, on: node.operands.map { graph[$0] })
    else { return nil }
    let mean = graph[graph.nodes[reader].results[0]]
    let shape = graph[fusion.result].shape
    return newOperand(TensorType(mean.dtype, [shape[0], shape[1]]), .rowMajor)
  }

  /// Whether the product is one of images with a factor for each channel, which the only convolution
  /// that reads it computes itself.
  mutating func leaveToConvolution(_ node: Node) throws(PlanError) -> Bool {
    guard isFree, node.op == .binary(.multiply), let reader = soleReader(of: node.results[0]),
      graph.nodes[reader].operands[0] == node.results[0],
      library.fusesScale(
        into: graph.nodes[reader].op, on: graph.nodes[reader].operands.map { graph[$0] }),
      let factors = broadcastSource(node.operands[1]), !isStatic(factors),
      factors.type.shape.suffix(2) == [1, 1]
    else { return false }
    let image = try operand(node.operands[0])
    guard image.layout == .channelsLast,
      Array(factors.type.shape.prefix(2)) == Array(image.type.shape.prefix(2))
    else { return false }
    scaled[node.results[0]] = (image, factors)
    return true
  }

  /// Whether images may be channels-last wherever that suits a kernel.
  var isFree: Bool {
    mode == .compiled && (imageLayout == .any || imageLayout == .channelsLast)
  }

  /// Images of a few channels, which compiled plans read as the caller gives them.
  func isPlainInput(_ images: Operand) -> Bool {
    mode == .compiled && images.layout == .rowMajor && images.type.shape[1] < 16
  }
}
