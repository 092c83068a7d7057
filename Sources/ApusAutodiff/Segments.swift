import ApusIR

/// The segments of a graph that are computed again in the backward half.
struct Segments {
  private let ranges: [Range<Int>]
  private let graph: Graph
  /// The index of the node that makes each value.
  private let makers: [Int]
  /// Values that depend on parameters, states and constants alone.
  private let isStatic: [Bool]
  /// Values that are read outside the segment that makes them.
  private let escapes: [Bool]

  /// - Parameter ranges: of node indices, ascending, without overlap.
  init(_ ranges: [Range<Int>], of graph: Graph) {
    self.ranges = ranges
    self.graph = graph
    var makers = [Int](repeating: 0, count: graph.types.count)
    var isStatic = [Bool](repeating: false, count: graph.types.count)
    for (index, node) in graph.nodes.enumerated() {
      let isFixed =
        if case .input(let input) = node.op { input.path != nil } else {
          node.operands.allSatisfy { isStatic[$0.index] }
        }
      for result in node.results {
        (makers[result.index], isStatic[result.index]) = (index, isFixed)
      }
    }
    var escapes = [Bool](repeating: false, count: graph.types.count)
    for output in graph.outputs { escapes[output.value.index] = true }
    for (index, node) in graph.nodes.enumerated() {
      let segment = ranges.firstIndex { $0.contains(index) }
      for operand in node.operands {
        let maker = makers[operand.index]
        if ranges.firstIndex(where: { $0.contains(maker) }) != segment {
          escapes[operand.index] = true
        }
      }
    }
    (self.makers, self.isStatic, self.escapes) = (makers, isStatic, escapes)
  }

  func segment(ofNode index: Int) -> Int? { ranges.firstIndex { $0.contains(index) } }

  func maker(of value: Value) -> Node { graph.nodes[makers[value.index]] }

  /// Whether the value is dropped after the forward half of a segment.
  func isRemade(_ value: Value, in segment: Int) -> Bool {
    guard isMade(value, in: segment) else { return false }
    return !isStatic[value.index] && !escapes[value.index]
  }

  func isMade(_ value: Value, in segment: Int) -> Bool {
    if case .input = maker(of: value).op { return false }
    return ranges[segment].contains(makers[value.index])
  }

  /// What a segment is computed again from: what it reads and does not make again. Parameters and what
  /// depends on them alone are kept anyhow.
  func kept(by segment: Int) -> [Value] {
    let operands = Set(ranges[segment].flatMap { graph.nodes[$0].operands })
    return operands.filter { !isRemade($0, in: segment) && !isStatic[$0.index] }
      .sorted { $0.index < $1.index }
  }
}
