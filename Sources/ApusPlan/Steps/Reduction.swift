import ApusIR

extension Lowering {
  /// The mean over an image is an average pooling, which works in every layout.
  mutating func lowerReduce(_ reduce: Reduce, _ node: Node) throws(PlanError) {
    if reduce.isGlobalMean, let mean = means[node.operands[0]] {
      let value = node.results[0]
      place(value, Operand(buffer: mean.buffer, type: graph[value], layout: .rowMajor))
      return
    }
    if reduce.isChannelSum, let sum = channelSums[node.operands[0]] {
      return place(node.results[0], sum)
    }
    if try lowerPixelSum(reduce, node) { return }
    let type = graph[node.operands[0]]
    let size = type.rank == 4 ? Size2D(type.shape[2], type.shape[3]) : Size2D(1)
    let pool = Op.pool(Pool(.average(countsPadding: false), kernel: size, stride: Size2D(1)))
    guard reduce.isGlobalMean, type.rank == 4,
      library.hasKernel(for: pool, on: [type])
    else { return try lowerRowMajor(node) }
    let source = try operand(node.operands[0])
    let pooled = TensorType(type.dtype, [type.shape[0], type.shape[1], 1, 1])
    let result = emit(
      Step(.op(pool), [source], [newOperand(pooled, source.layout)], path: node.path))
    let value = node.results[0]
    let plain = reorder(result, to: .rowMajor, path: node.path)
    place(value, Operand(buffer: plain.buffer, type: graph[value], layout: .rowMajor))
  }
}

extension Lowering {
  /// A sum over pixels in the images' own layout, of a product without making that.
  private mutating func lowerPixelSum(_ reduce: Reduce, _ node: Node) throws(PlanError) -> Bool {
    guard mode == .compiled, reduce.isPixelSum, graph[node.operands[0]].rank == 4 else {
      return false
    }
    var operands: [Operand] = []
    if let product = products[node.operands[0]] {
      operands = [product.0, product.1]
    } else {
      operands = [try operand(node.operands[0])]
      guard library.sumsPixels(of: operands[0]) else { return false }
    }
    let value = node.results[0]
    place(
      value,
      emit(Step(.op(node.op), operands, [newOperand(graph[value], .rowMajor)], path: node.path)))
    return true
  }

  /// Whether all that reads a product of images is a sum over pixels, which makes it on the way.
  mutating func leaveToSum(_ node: Node) -> Bool {
    guard node.op == .binary(.multiply), let reader = soleReader(of: node.results[0]),
      case .reduce(let reduce) = graph.nodes[reader].op, reduce.isPixelSum,
      let left = places[node.operands[0]], let right = places[node.operands[1]],
      left.type == right.type, left.layout == right.layout, library.sumsPixels(of: left)
    else { return false }
    products[node.results[0]] = (left, right)
    return true
  }
}

extension Reduce {
  /// Whether it takes the mean over the pixels of images.
  var isGlobalMean: Bool { kind == .mean && axes == [2, 3] }

  /// Whether it sums the pixels of each channel of each image.
  public var isPixelSum: Bool { kind == .sum && axes == [2, 3] }

  /// Whether it sums all pixels of each channel of images.
  var isChannelSum: Bool { kind == .sum && axes == [0, 2, 3] }
}
