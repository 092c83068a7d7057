import Apus

extension Graph {
  /// The parameters and states a forward pass takes, in the order of their use.
  var parameters: [(path: String, type: TensorType)] {
    inputs.compactMap { input, _ in input.path.map { (path: $0, type: input.type) } }
  }
}

extension WeightFile {
  /// The file with a network's paths for names; whose names it has is found out from them.
  ///
  /// Names the network does not know stay as they are, so that messages show them.
  func withPaths(of paths: [String]) -> WeightFile {
    let map = WeightMap(detecting: entries.map(\.name), paths: paths)
    var taken: Set<String> = []
    return renamed { name in
      if map.ignores(name) { return nil }
      guard let path = map.path(of: name) else { return name }
      return taken.insert(path).inserted ? path : "\(name) (a second \(path))"
    }
  }
}
