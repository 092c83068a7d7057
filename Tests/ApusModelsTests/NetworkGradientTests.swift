import ApusAutodiff
import ApusIR
import ApusModels
import ApusNN
import ApusOneDNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Foundation
import Testing

/// Expected gradients are PyTorch's (`Fixtures/make_gradients.py`), of which the fixtures hold the norm
/// and some products with hashed vectors.
@Suite("Gradients of whole networks", .serialized)
struct NetworkGradientTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let model: String
    let size: Int
    let options: NetworkOptions

    init(
      _ name: String, of model: String? = nil, size: Int, head: NetworkOptions.Head = .full,
      activation: ActivationFunction? = nil, dropout: Double? = nil, dropConnect: Double? = nil
    ) {
      (self.name, self.model, self.size) = (name, model ?? name, size)
      options = NetworkOptions(
        classes: 10, head: head, activation: activation, dropout: dropout,
        dropConnect: dropConnect)
    }

    var testDescription: String { name }
  }

  static let efficientNet = Row("efficientnet_b0", size: 64, dropout: 0, dropConnect: 0)

  // Statistics of single pixels of two images would blow roundings up even here.
  @Test(
    "are PyTorch's in float64, of every parameter",
    arguments: [
      Row("resnet18", size: 33), Row("vgg16_bn-cut", of: "vgg16_bn", size: 32, head: .cut),
      efficientNet, Row("seresnext50_32x4d", size: 33), Row("densenet121", size: 64),
      Row("inception_v3", size: 107, dropout: 0),
    ])
  func exact(row: Row) throws {
    let (graph, paths) = try step(row, batch: 2)
    let wide = try graph.inFloat64()
    let inputs = try wide.inputs.map { input, _ in
      HostTensor(input.type, rounding: try #require(values(of: input, row)).doubles)
    }
    try check(wide.evaluate(inputs), paths, ExpectedGradients(row.name), within: 1e-7)
  }

  @Test(
    "are PyTorch's in float32 where the network is smooth",
    arguments: [efficientNet, Row("resnet18-swish", of: "resnet18", size: 64, activation: .swish)])
  func compiled(row: Row) throws {
    let (graph, paths) = try step(row, batch: 2)
    var store = ParameterStore()
    for (input, _) in graph.inputs {
      if let path = input.path { store[path] = values(of: input, row) }
    }
    let program = try OneDNNBackend(.compiled, threads: 2).compile(
      graph, PreparedParameters(store))
    let inputs = try program.inputs.map { try #require(values(of: $0, row)) }
    let results = try program.makeExecution().run(inputs)
    try check(results, paths, ExpectedGradients(row.name), within: 1e-3)
  }

  private func check(
    _ results: [HostTensor], _ paths: [String], _ expected: ExpectedGradients,
    within tolerance: Double
  ) throws {
    #expect(abs(results[0].doubles[0] - expected.loss) <= tolerance * expected.loss)
    #expect(Set(paths) == Set(expected.summaries.keys))
    for (path, gradient) in zip(paths, results.dropFirst()) {
      let summary = try #require(expected.summaries[path])
      let allowed = tolerance * (summary.norm + 1e-3 * expected.norm)
      let difference = summary.distance(of: gradient, path)
      #expect(difference <= allowed, "\(path), whose norm is \(summary.norm)")
    }
  }

  /// The mean cross-entropy with classes 3 and 8, and the gradients of the parameters at the paths.
  private func step(_ row: Row, batch: Int) throws -> (graph: Graph, paths: [String]) {
    let definition = try model(row.model)
    var gradients: [(path: String, value: Value)] = []
    var graph = try trace(training: true) { scope in
      let images = scope.argument("images", .float32, [batch, 3, row.size, row.size])
      let classes = scope.argument("classes", .float32, [batch, 10])
      let network = try definition.network(scope, row.options)
      let logits = try network(images)
      let loss = try -(log(softmax(logits)) * classes).sum(0, 1) / Double(batch)
      let parameters = loss.builder.graph.inputs.filter { input, _ in
        if case .parameter = input.role { true } else { false }
      }
      let wanted = parameters.map { Tensor(loss.builder, $0.value) }
      let values = try ApusAutodiff.gradients(of: loss, withRespectTo: wanted).map(\.value)
      gradients = zip(parameters, values).map { ($0.input.name, $1) }
      return ["loss": loss]
    }
    // Updates of the statistics are none of this test's.
    graph = Graph(results: [("loss", graph.lossValue)] + gradients, of: graph)
    return (graph, gradients.map(\.path))
  }

  private func values(of input: Input, _ row: Row) -> HostTensor? {
    switch input.role {
    case .parameter(let path), .state(let path):
      HashedWeights.tensor(path: path, shape: input.type.shape)
    case .argument("images"): HashedWeights.images(batch: 2, size: row.size)
    case .argument:
      HostTensor(
        [2, 10], [3, 8].flatMap { label in (0..<10).map { $0 == label ? Float(1) : 0 } })
    case .random: nil
    }
  }
}

extension Graph {
  fileprivate var lossValue: Value {
    outputs.first { $0.role == .result("loss") }?.value ?? Value(0)
  }

  /// The same nodes with other outputs.
  fileprivate init(results: [(path: String, value: Value)], of graph: Graph) {
    self.init(
      unverified: graph.nodes, types: graph.types,
      outputs: results.map { Output(.result($0.path), $0.value) })
  }
}

/// What a fixture says of a network's gradients.
private struct ExpectedGradients {
  struct Summary {
    let norm: Double
    let products: [Double]

    /// How far a gradient is away, estimated from its products with vectors whose elements have a
    /// mean square of 1/3.
    func distance(of gradient: HostTensor, _ path: String) -> Double {
      let values = gradient.doubles
      let squares = products.enumerated().map { index, expected in
        let vector = HashedWeights.signed(path: "projection \(index) \(path)", count: values.count)
        let product = zip(values, vector).reduce(0) { $0 + $1.0 * $1.1 }
        return (product - expected) * (product - expected)
      }
      return (3 * squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }
  }

  let loss: Double
  let summaries: [String: Summary]

  /// The norm of all gradients together.
  var norm: Double { summaries.values.reduce(0) { $0 + $1.norm * $1.norm }.squareRoot() }

  init(_ name: String) throws {
    let file = try #require(
      Bundle.module.path(forResource: "Fixtures/gradients/\(name).txt", ofType: nil))
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: " ") }
    loss = try #require(Double(lines[0][1]))
    summaries = Dictionary(
      uniqueKeysWithValues: try lines.dropFirst().map { words in
        let numbers = try words.dropFirst().map { try #require(Double($0)) }
        return (String(words[0]), Summary(norm: numbers[0], products: Array(numbers.dropFirst())))
      })
  }
}
