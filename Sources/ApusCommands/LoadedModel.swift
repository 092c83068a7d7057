import Apus
import ApusOneDNN

/// A network with its weights, ready to run on batches of any size.
struct LoadedModel {
  let model: Model
  let options: NetworkOptions
  let parameters: ParameterStore
  /// Parameters that were initialised because a mismatch was allowed.
  let initialized: [String]

  /// Reads the weights the network expects from a file; fresh ones without a file.
  init(
    _ model: Model, _ options: NetworkOptions, weights: String?, allowMismatch: [String] = []
  ) throws {
    self.model = model
    self.options = options
    let graph = try model.graph(batch: 1, options)
    let expected = graph.parameters
    guard let weights else {
      try Self.requireMemory(for: expected.map(\.type), of: model)
      parameters = ParameterStore(initializing: graph)
      initialized = []
      return
    }
    let file = try WeightFile(path: weights)
    var store = try ParameterStore(
      file.matched(to: expected), matching: expected, allowMismatch: allowMismatch)
    initialized = store.missing
    let missing = Set(store.missing)
    let fresh = expected.filter { missing.contains($0.path) }.map(\.type)
    try Self.requireMemory(for: fresh, of: model)
    try Self.requireFinite(store, file: weights)
    store = try options.norm.fitted(
      store, from: NetworkOptions.Norm(recordedIn: file.metadata), to: graph, file: weights)
    store.fill(from: graph)
    parameters = store
  }

  /// Throws where a weight is NaN or infinite: kernels may drop a NaN on the way, and the classes
  /// would look plausible.
  private static func requireFinite(_ store: ParameterStore, file: String) throws(InputError) {
    for path in store.paths {
      guard let tensor = store[path] else { continue }
      guard let index = tensor.firstNonFinite else {
        tensor.releasePages()
        continue
      }
      throw InputError(
        "\(file): weights must be finite, got \(tensor.floats[index]) in \(path), element \(index)")
    }
  }

  /// Throws unless fresh values of these types can be had; drawing them takes a second copy.
  private static func requireMemory(
    for types: [TensorType], of model: Model
  ) throws(FreshWeightsError) {
    let size = types.reduce(0) { $0 + $1.sizeInBytes }
    do {
      try HostMemory.require(size + (types.map(\.sizeInBytes).max() ?? 0))
    } catch {
      throw FreshWeightsError(model: model.name, sizeInBytes: size)
    }
  }
}

/// Weights that would not fit into memory if they were drawn.
struct FreshWeightsError: Error, CustomStringConvertible {
  let model: String
  let sizeInBytes: Int

  var description: String {
    "\(model): out of memory: fresh weights must fit into it, got \(sizeInBytes) bytes; "
      + "use fewer classes"
  }
}
