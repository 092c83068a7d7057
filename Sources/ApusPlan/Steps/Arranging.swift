import ApusIR

extension Lowering {
  /// Another view of the same buffer.
  mutating func lowerReshape(_ node: Node) throws(PlanError) {
    let source = try operand(node.operands[0], in: .rowMajor)
    let result = node.results[0]
    place(result, Operand(buffer: source.buffer, type: graph[result], layout: .rowMajor))
  }

  /// A view with unit extents; a step that cannot broadcast makes it whole.
  mutating func lowerBroadcast(_ broadcast: Broadcast, _ node: Node) throws(PlanError) {
    let source = try operand(node.operands[0], in: .rowMajor)
    var extents = Array(repeating: 1, count: broadcast.shape.rank)
    for (axis, extent) in zip(broadcast.axes, source.type.shape) { extents[axis] = extent }
    let view = Operand(
      buffer: source.buffer, type: TensorType(source.type.dtype, Shape(extents)),
      layout: .rowMajor)
    let identity = Broadcast(to: broadcast.shape, axes: Array(0..<broadcast.shape.rank))
    let whole = Node(
      op: .broadcast(identity), operands: node.operands, results: node.results, path: node.path)
    place(node.results[0], broadcastOf: view, by: whole)
  }

  /// Channels of equal, unpadded image layouts are joined as they lie; where one image is
  /// channels-last, all are brought there; all else is row-major.
  mutating func lowerConcatenate(_ node: Node) throws(PlanError) {
    var operands: [Operand] = []
    for value in node.operands { operands.append(try operand(value)) }
    var layout = operands[0].layout
    if !operands.allSatisfy({ $0.layout == layout && isDense($0) }) {
      let hasChannelsLast = operands.contains { $0.layout == .channelsLast }
      layout = hasChannelsLast ? .channelsLast : .rowMajor
    }
    guard layout != .rowMajor, library.hasKernel(for: node.op, on: operands.map(\.type)) else {
      return try lowerRowMajor(node)
    }
    operands = operands.map { reorder($0, to: layout, path: node.path) }
    let value = node.results[0]
    place(
      value,
      emit(Step(.op(node.op), operands, [newOperand(graph[value], layout)], path: node.path)))
  }

  /// Whether no part of its memory is padding.
  func isDense(_ operand: Operand) -> Bool {
    switch operand.layout {
    case .rowMajor, .channelsLast: true
    case .blocked(let block): operand.type.shape[1] % block == 0
    case .native, .any: false
    }
  }

  /// The same buffers under new names.
  mutating func lowerBarrier(_ node: Node) throws(PlanError) {
    for (value, result) in zip(node.operands, node.results) {
      place(result, try operand(value))
    }
  }
}
