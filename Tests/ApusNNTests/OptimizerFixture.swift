import ApusIR
import ApusNN
import ApusRuntime
import ApusTensor

/// Parameters, gradients, and what PyTorch's optimisers made of them, as `Fixtures/make.py` wrote it.
struct OptimizerFixture: Decodable, Sendable {
  typealias Values = [String: [Float]]

  /// The parameters after the first and the last step, and their averages.
  struct Outcome: Decodable, Sendable {
    let first: Values
    let last: Values
    let averages: Values?
  }

  let shapes: [String: [Int]]
  let rates: [Float]
  let initial: Values
  let gradients: [Values]
  let cases: [String: Outcome]

  static let shared = Swift.Result {
    try Fixture.read("optimizers.json", as: OptimizerFixture.self)
  }

  /// A session whose runs take gradients as arguments, and update by them.
  func session(_ backend: any Backend, _ rule: UpdateRule) throws -> Session {
    let graph = try trace(training: true) { scope in
      var gradients: [String: Tensor] = [:]
      for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
        _ = scope.parameter(name, Shape(shape), .zeros)
        gradients[name] = scope.argument("gradient of \(name)", .float32, Shape(shape))
      }
      let trained = try rule.trainedParameters(scope)
      try rule.update(trained, trained.compactMap { gradients[$0.name] }, scope)
      return [:]
    }
    var store = ParameterStore()
    for (name, values) in initial {
      store[name] = HostTensor(Shape(shapes[name] ?? []), values)
    }
    store.fill(from: graph)
    return Session(backend, store) { _ in graph }
  }

  func run(_ session: Session, _ index: Int, rate: Float) throws {
    var arguments = ["learning_rate": HostTensor([], [rate])]
    for (name, values) in gradients[index] {
      arguments["gradient of \(name)"] = HostTensor(Shape(shapes[name] ?? []), values)
    }
    _ = try session.run(arguments, batch: 1)
  }
}
