import ApusIR
import ApusTensor

/// The nodes of a graph from the last to the first, with the gradients that have come so far.
final class BackwardPass {
  private let loss: Tensor
  let builder: GraphBuilder
  /// The graph as it is before the pass appends to it.
  let graph: Graph
  private let wanted: Set<Value>
  /// The values that depend on wanted ones and may have a gradient.
  private let varying: Set<Value>
  /// Sums over the nodes visited so far.
  var gradients: [Value: Tensor] = [:]
  let segments: Segments
  /// What stands, inside a segment, for values it keeps: they passed its barrier.
  var kept: [Int: [Value: Tensor]] = [:]
  /// What segments made again.
  var remade: [Value: Tensor] = [:]

  init(of loss: Tensor, withRespectTo wanted: [Value]) {
    self.loss = loss
    builder = loss.builder
    graph = builder.graph
    self.wanted = Set(wanted)
    varying = graph.values(dependingOn: self.wanted)
    segments = Segments(builder.segments, of: graph)
  }

  /// The gradients of tensors whose values are the wanted ones.
  func run(_ tensors: [Tensor]) throws -> [Tensor] {
    if varying.contains(loss.value) { gradients[loss.value] = try loss.filled(with: 1) }
    for index in graph.nodes.indices.reversed() { try visit(index) }
    return try tensors.map { try gradients[$0.value] ?? $0.filled(with: 0) }
  }

  /// Passes the gradients of a node's results on to its operands.
  private func visit(_ index: Int) throws {
    let node = graph.nodes[index]
    guard node.results.contains(where: { gradients[$0] != nil }),
      node.operands.contains(where: varying.contains)
    else { return }
    builder.layer = node.path
    defer { builder.layer = nil }
    if let segment = segments.segment(ofNode: index) { try enter(segment) }
    let call = PullbackCall(
      self, index, gradients: node.results.map { gradients[$0] },
      wants: node.operands.map(varying.contains))
    for result in node.results where !wanted.contains(result) { gradients[result] = nil }
    for (operand, gradient) in zip(node.operands, try node.op.pullback(call)) {
      guard let gradient, varying.contains(operand) else { continue }
      gradients[operand] = try gradients[operand].map { try $0 + gradient } ?? gradient
    }
  }
}

extension Graph {
  /// The floating-point values that depend on others by floating-point values alone.
  fileprivate func values(dependingOn origins: Set<Value>) -> Set<Value> {
    var varying = origins
    for node in nodes where node.operands.contains(where: varying.contains) {
      varying.formUnion(node.results.filter { self[$0].dtype.isFloatingPoint })
    }
    return varying
  }
}
