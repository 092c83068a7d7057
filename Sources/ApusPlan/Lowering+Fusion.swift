import ApusIR

/// What a step takes on besides its own op.
struct Fusion {
  var postOps: [PostOp] = []
  /// What the post-ops read.
  var operands: [Operand] = []
  /// The value the step then makes.
  var result: Value
}

extension Lowering {
  /// The only node that reads a value, by its index; `nil` also in eager plans, which fuse nothing.
  func soleReader(of value: Value) -> Int? {
    guard mode == .compiled, readers[value.index].count == 1,
      let reader = readers[value.index].first, reader < graph.nodes.count
    else { return nil }
    return reader
  }

  /// Takes on the activation that alone reads the result, if there is one that `accepts`.
  mutating func absorbActivation(
    _ fusion: inout Fusion, where accepts: (Activation) -> Bool = { _ in true }
  ) {
    guard let reader = soleReader(of: fusion.result),
      case .activation(let activation) = graph.nodes[reader].op, accepts(activation)
    else { return }
    absorbed.insert(reader)
    fusion.postOps.append(.activation(activation))
    fusion.result = graph.nodes[reader].results[0]
  }

  /// Takes on the sum with an image that nothing else reads any more: the result is written over
  /// it.
  ///
  /// - Parameters:
  ///   - sources: what the step reads otherwise.
  ///   - layout: the only one in which the step can write; `nil` if it can in any.
  mutating func absorbSum(
    _ fusion: inout Fusion, sources: [Operand], at index: Int, layout: Layout? = nil
  ) {
    guard let reader = soleReader(of: fusion.result), graph.nodes[reader].op == .binary(.add),
      let image = overwritable(
        otherOperand(of: reader, than: fusion.result), by: reader, at: index),
      image.layout == layout ?? image.layout,
      !sources.contains(where: { $0.buffer == image.buffer }), !sources.allSatisfy(isStatic)
    else { return }
    absorbed.insert(reader)
    // Copies of what is overwritten are not copies of what will lie there.
    reordered = reordered.filter { $0.key.buffer != image.buffer }
    fusion.postOps.append(.accumulate(operand: sources.count + fusion.operands.count))
    fusion.operands.append(image)
    fusion.result = graph.nodes[reader].results[0]
  }

  /// Takes on binary ops and activations that alone read the result, one after the other, as many as
  /// kernels take.
  mutating func absorbChain(
    _ fusion: inout Fusion, sources: [Operand], layout: Layout
  ) throws(PlanError) {
    // Each turn takes on two at most.
    while fusion.postOps.count <= Self.mostPostOps - 2 {
      let before = fusion.postOps.count
      absorbActivation(&fusion)
      try absorbBinary(&fusion, sources: sources, layout: layout)
      if fusion.postOps.count == before { return }
    }
  }

  /// oneDNN's `dnnl_post_ops_append_…` refuse more.
  private static var mostPostOps: Int { 32 }

  private mutating func absorbBinary(
    _ fusion: inout Fusion, sources: [Operand], layout: Layout
  ) throws(PlanError) {
    let type = graph[fusion.result]
    guard let reader = soleReader(of: fusion.result),
      case .binary(let binary) = graph.nodes[reader].op, binary.isFused,
      library.hasKernel(for: .binary(binary), on: [type, type]),
      binary.isCommutative || graph.nodes[reader].operands[0] == fusion.result
    else { return }
    let other = otherOperand(of: reader, than: fusion.result)
    try lowerBroadcastEarly(other)
    let whole = places[other].flatMap { $0.layout == layout ? $0 : nil }
    // What depends on parameters alone stays in the preparation.
    guard let right = broadcastSource(other) ?? whole,
      isStatic(right) || !(sources + fusion.operands).allSatisfy(isStatic)
    else { return }
    absorbed.insert(reader)
    fusion.postOps.append(.binary(binary, operand: sources.count + fusion.operands.count))
    fusion.operands.append(right)
    fusion.result = graph.nodes[reader].results[0]
  }

  /// A broadcast is only a view: one that comes later may as well be seen now.
  private mutating func lowerBroadcastEarly(_ value: Value) throws(PlanError) {
    guard places[value] == nil, broadcasts[value] == nil,
      let index = graph.nodes.firstIndex(where: { $0.results.contains(value) }),
      case .broadcast(let broadcast) = graph.nodes[index].op,
      places[graph.nodes[index].operands[0]] != nil
    else { return }
    try lowerBroadcast(broadcast, graph.nodes[index])
    absorbed.insert(index)
  }

  func otherOperand(of node: Int, than value: Value) -> Value {
    let operands = graph.nodes[node].operands
    return operands[0] == value ? operands[1] : operands[0]
  }

  /// An image in the arena that nothing but the node `reader` reads any more.
  private func overwritable(_ value: Value, by reader: Int, at index: Int) -> Operand? {
    guard let operand = places[value], operand.type == graph[value], operand.type.rank == 4,
      operand.layout != .rowMajor, plan.buffers[operand.buffer].place == .allocated
    else { return nil }
    let views =
      places.filter { $0.value.buffer == operand.buffer }.map(\.key)
      + broadcasts.filter { $0.value.source.buffer == operand.buffer }.map(\.key)
      + scaled.filter { $0.value.image.buffer == operand.buffer }.map(\.key)
      + expanded.filter { $0.value.sources[0].buffer == operand.buffer }.map(\.key)
      + products.filter { [$0.value.0.buffer, $0.value.1.buffer].contains(operand.buffer) }
      .map(\.key)
    let isRead = views.contains { view in
      readers[view.index].contains { $0 > index && $0 != reader && !absorbed.contains($0) }
    }
    return isRead ? nil : operand
  }
}

extension Binary {
  /// Whether kernels can do it to their results.
  fileprivate var isFused: Bool {
    switch self {
    case .add, .subtract, .multiply, .maximum, .minimum: true
    case .divide, .power, .and, .or: false
    }
  }

  /// Whether its operands may change places.
  var isCommutative: Bool {
    switch self {
    case .add, .multiply, .maximum, .minimum, .and, .or: true
    case .subtract, .divide, .power: false
    }
  }
}
