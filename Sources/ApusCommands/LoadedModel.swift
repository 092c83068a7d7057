import Apus
import ApusOneDNN

/// A network with its weights, ready to run on batches of any size.
struct LoadedModel {
  let model: Model
  let parameters: ParameterStore
  /// Parameters that were initialised because a mismatch was allowed.
  let initialized: [String]

  /// Reads the weights the network expects from a file; fresh ones without a file.
  init(
    _ model: Model, classes: Int = 1000, weights: String?, allowMismatch: [String] = []
  ) throws {
    self.model = model
    let graph = try model.graph(batch: 1, classes: classes)
    guard let weights else {
      parameters = ParameterStore(initializing: graph)
      initialized = []
      return
    }
    let expected = graph.inputs.compactMap { input, _ in
      input.path.map { (path: $0, type: input.type) }
    }
    var store = try ParameterStore(
      WeightFile(path: weights), matching: expected, allowMismatch: allowMismatch)
    initialized = store.missing
    store.fill(from: graph)
    parameters = store
  }
}
