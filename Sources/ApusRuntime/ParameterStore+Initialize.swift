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
      let values = HostTensor(pagesOf: input.type.shape) { values in
        (input.initializer ?? .zeros).fill(values, input.type, &random)
      }
      self[path] =
        input.type.dtype == .float32 ? values : HostTensor(input.type, rounding: values.doubles)
    }
  }
}

extension Initializer {
  /// Writes values before they are rounded to the element type; filters are `[o, i, h, w]`.
  fileprivate func fill(
    _ values: UnsafeMutableBufferPointer<Float>, _ type: TensorType, _ random: inout RandomSource
  ) {
    switch self {
    case .zeros: values.update(repeating: 0)
    case .ones: values.update(repeating: 1)
    case .heNormal: fillHeNormal(values, type, groups: 1, &random)
    case .groupedHeNormal(let groups): fillHeNormal(values, type, groups: groups, &random)
    case .uniformFanIn(let fanIn):
      let bound = 1 / Float(max(fanIn, 1)).squareRoot()
      for index in values.indices { values[index] = (random.uniform() * 2 - 1) * bound }
    }
  }

  private func fillHeNormal(
    _ values: UnsafeMutableBufferPointer<Float>, _ type: TensorType, groups: Int,
    _ random: inout RandomSource
  ) {
    let inputs = type.shape.rank > 1 ? type.shape[1] : 1
    let fanOut = max(type.elementCount / max(inputs, 1) / max(groups, 1), 1)
    let deviation = Float((2 / Double(fanOut)).squareRoot())
    random.fillNormal(values)
    for index in values.indices { values[index] *= deviation }
  }
}
