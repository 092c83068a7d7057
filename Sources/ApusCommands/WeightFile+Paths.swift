import Apus

extension Graph {
  /// The parameters and states a forward pass takes, in the order of their use.
  var parameters: [(path: String, type: TensorType)] {
    inputs.compactMap { input, _ in input.path.map { (path: $0, type: input.type) } }
  }
}

extension WeightFile {
  /// The file with a network's paths for names and, where only the shape is the file's own, its
  /// shapes; whose names it has is found out from them.
  ///
  /// Names the network does not know stay as they are, so that messages show them.
  func matched(to parameters: [(path: String, type: TensorType)]) -> WeightFile {
    let map = WeightMap(detecting: entries.map(\.name), paths: parameters.map(\.path))
    let shapes = Dictionary(parameters.map { ($0.path, $0.type.shape) }) { first, _ in first }
    var taken: Set<String> = []
    return presented { entry in
      if map.ignores(entry.name) { return nil }
      guard let path = map.path(of: entry.name) else { return (entry.name, entry.shape) }
      guard taken.insert(path).inserted else {
        return ("\(entry.name) (a second \(path))", entry.shape)
      }
      if let shape = shapes[path], map.shape(shape, of: path) == entry.shape {
        return (path, shape)
      }
      return (path, entry.shape)
    }
  }
}
