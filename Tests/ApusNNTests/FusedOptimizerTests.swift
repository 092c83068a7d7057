import ApusIR
import ApusNN
import ApusOneDNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("AdamW on oneDNN")
struct FusedOptimizerTests {
  private static let shapes: [(name: String, shape: Shape)] = [
    ("filter", [20, 6, 3, 3]), ("bias", [19]), ("matrix", [137, 53]),
  ]
  private static let (rate, decay) = (0.02, 0.05)

  private func graph() throws -> Graph {
    try trace(training: true) { scope in
      let parameters = Self.shapes.map { ($0.name, scope.parameter($0.name, $0.shape, .zeros)) }
      let gradients = Self.shapes.map { scope.argument("d \($0.name)", .float32, $0.shape) }
      try AdamW(weightDecay: Self.decay).update(parameters, gradients, scope)
      return [:]
    }
  }

  private func store(_ graph: Graph, _ random: inout RandomTensors) -> ParameterStore {
    var store = ParameterStore(initializing: graph)
    for (name, shape) in Self.shapes { store[name] = random.tensor(shape) }
    return store
  }

  @Test("is one step a parameter")
  func steps() throws {
    let graph = try graph()
    var random = RandomTensors(seed: 1)
    let profiler = try OneDNNBackend(.compiled, threads: 2)
      .profiler(for: graph, PreparedParameters(store(graph, &random)))
    for (name, shape) in Self.shapes {
      let steps = profiler.steps.filter { $0.results.contains { $0.shape == shape.extents } }
      #expect(steps.map(\.results.count) == [3], "\(name)")
      #expect(steps.allSatisfy { $0.implementation.hasPrefix("elementwise") })
    }
  }

  @Test("gives the reference's values and those of float64, step after step")
  func values() throws {
    let graph = try graph()
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let store = store(graph, &random)
    let session = Session(OneDNNBackend(.compiled, threads: 2), store) { _ in graph }
    let reference = Session(ReferenceBackend(), store) { _ in graph }
    var exact = Self.shapes.map { ExactAdamW(store[$0.name]?.doubles ?? []) }
    for step in 1...6 {
      var arguments = ["learning_rate": HostTensor([], [Float(Self.rate)])]
      for (index, (name, shape)) in Self.shapes.enumerated() {
        let gradient = random.tensor(shape, in: -0.3...0.5)
        arguments["d \(name)"] = gradient
        exact[index].update(
          gradient.doubles, rate: Double(Float(Self.rate)), decay: Self.decay, step: step)
      }
      _ = try session.run(arguments, batch: 1)
      _ = try reference.run(arguments, batch: 1)
      let (got, expected) = (try session.updatedParameters, try reference.updatedParameters)
      for path in expected.paths {
        let wrong = difference(
          try #require(got[path]), from: try #require(expected[path]), within: .elementwise)
        #expect(wrong == nil, "\(path), step \(step)")
      }
      for ((name, shape), exact) in zip(Self.shapes, exact) {
        let wrong = difference(
          try #require(got[name]), from: HostTensor(shape, exact.parameters.map { Float($0) }),
          within: .elementwise)
        #expect(wrong == nil, "\(name), step \(step), against float64")
      }
    }
  }
}

/// AdamW as its paper has it, element by element in `Double`.
private struct ExactAdamW {
  private(set) var parameters: [Double]
  private var first: [Double]
  private var second: [Double]

  init(_ parameters: [Double]) {
    self.parameters = parameters
    first = parameters.map { _ in 0 }
    second = first
  }

  mutating func update(_ gradient: [Double], rate: Double, decay: Double, step: Int) {
    var (kept1, kept2) = (1.0, 1.0)
    for _ in 0..<step { (kept1, kept2) = (kept1 * 0.9, kept2 * 0.999) }
    for (index, g) in gradient.enumerated() {
      first[index] = 0.9 * first[index] + 0.1 * g
      second[index] = 0.999 * second[index] + 0.001 * g * g
      let divisor = (second[index] / (1 - kept2)).squareRoot() + 1e-8
      parameters[index] -= rate * decay * parameters[index]
      parameters[index] -= rate * first[index] / (1 - kept1) / divisor
    }
  }
}
