import ApusIR
import Foundation

extension ParameterStore {
  /// Fresh values for every parameter and state of a graph, by their initialisers and a seed.
  ///
  /// Each parameter has a random stream of its own, so its values do not depend on the others.
  public init(initializing graph: Graph, seed: UInt64 = 0) {
    self.init()
    fill(from: graph, seed: seed)
  }

  /// Initialises the graph's parameters and states that have no values yet.
  public mutating func fill(from graph: Graph, seed: UInt64 = 0) {
    for (input, _) in graph.inputs {
      guard let path = input.path, self[path] == nil else { continue }
      var random = RandomSource(seed: seed, stream: path)
      let values = (input.initializer ?? .zeros).values(input.type, &random)
      self[path] = HostTensor(input.type, rounding: values.map { Double($0) })
    }
  }
}

extension Initializer {
  /// Values before they are rounded to the element type; filters are `[o, i, h, w]`.
  fileprivate func values(_ type: TensorType, _ random: inout RandomSource) -> [Float] {
    let count = type.elementCount
    switch self {
    case .zeros: return Array(repeating: 0, count: count)
    case .ones: return Array(repeating: 1, count: count)
    case .heNormal: return heNormal(type, groups: 1, &random)
    case .groupedHeNormal(let groups): return heNormal(type, groups: groups, &random)
    case .uniformFanIn(let fanIn):
      let bound = 1 / Float(max(fanIn, 1)).squareRoot()
      return (0..<count).map { _ in (random.uniform() * 2 - 1) * bound }
    }
  }

  private func heNormal(
    _ type: TensorType, groups: Int, _ random: inout RandomSource
  ) -> [Float] {
    let inputs = type.shape.rank > 1 ? type.shape[1] : 1
    let fanOut = max(type.elementCount / max(inputs, 1) / max(groups, 1), 1)
    let deviation = Float((2 / Double(fanOut)).squareRoot())
    return random.normals(type.elementCount).map { $0 * deviation }
  }
}
