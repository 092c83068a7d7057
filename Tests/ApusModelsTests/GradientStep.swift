import ApusAutodiff
import ApusIR
import ApusModels
import ApusNN
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

/// The loss of a network on a batch of hashed images, and the gradients of its parameters.
struct GradientStep {
  let graph: Graph

  init(_ name: String, _ options: NetworkOptions, batch: Int, size: Int) throws {
    let model = try #require(Catalogue.zoo[name])
    var gradients: [(name: String, value: Value)] = []
    var graph = try trace(training: true) { scope in
      let images = scope.argument("images", .float32, [batch, model.input.channels, size, size])
      let labels = scope.argument("labels", .int32, [batch])
      let network = try model.network(scope, options)
      let logits = try network(images)
      let loss = try crossEntropy(logits, labels)
      let parameters = scope.parameters
      let values = try ApusAutodiff.gradients(of: loss, withRespectTo: parameters.map(\.tensor))
      gradients = zip(parameters, values).map { ($0.name, $1.value) }
      return ["loss": loss]
    }
    for (name, value) in gradients { graph.output(.result(name), value) }
    self.graph = graph
  }

  /// Hashed from the names, in a graph's types; masks of random inputs are drawn.
  static func inputs(_ graph: Graph) -> [HostTensor] {
    var random = RandomSource(seed: 3)
    return graph.inputs.map { input, _ in
      let type = input.type
      let tensor =
        switch input.role {
        case .parameter(let path), .state(let path):
          HashedWeights.tensor(path: path, shape: type.shape)
        case .argument("images"): HashedWeights.images(batch: type.shape[0], size: type.shape[2])
        case .argument:
          HostTensor(type, rounding: (0..<type.elementCount).map { Double($0 * 5 % 10) })
        case .random(let distribution):
          random.tensor(distribution, TensorType(.float32, type.shape))
        }
      return tensor.dtype == type.dtype ? tensor : HostTensor(type, rounding: tensor.doubles)
    }
  }

  /// What a program gives, by name; of parameters and states it has those that were hashed.
  static func results(_ graph: Graph, on backend: any Backend) throws -> [HostTensor] {
    try results(graph, inputs(graph), on: backend)
  }

  static func results(
    _ graph: Graph, _ inputs: [HostTensor], on backend: any Backend
  ) throws -> [HostTensor] {
    var store = ParameterStore()
    for ((input, _), value) in zip(graph.inputs, inputs) {
      if let path = input.path { store[path] = value }
    }
    let program = try backend.compile(graph, PreparedParameters(store))
    let values = Dictionary(
      zip(graph.inputs.map(\.input.name), inputs)
    ) { first, _ in first }
    return try program.makeExecution().run(
      program.inputs.map { try #require(values[$0.name]) })
  }
}

/// The Euclidean distance of two tensors' elements, or of one's from 0.
func distance(_ a: HostTensor, _ b: HostTensor?) -> Double {
  let b = b?.doubles
  var sum = 0.0
  for (index, x) in a.doubles.enumerated() {
    let difference = x - (b?[index] ?? 0)
    sum += difference * difference
  }
  return sum.squareRoot()
}

/// Requires results to be others up to a share of their norm, and of that of all.
func expectClose(
  _ results: [HostTensor], _ expected: [HostTensor], _ graph: Graph, within tolerance: Double
) {
  #expect(results.count == expected.count)
  let norms = expected.map { distance($0, nil) }
  let whole = norms.dropFirst().reduce(0) { $0 + $1 * $1 }.squareRoot()
  for (index, (result, value)) in zip(results, expected).enumerated() {
    let difference = distance(result, value)
    #expect(
      difference <= tolerance * (norms[index] + 1e-3 * whole), "\(graph.outputs[index].role)")
  }
}
