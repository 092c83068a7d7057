import ApusIR
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Updates of parameters")
struct UpdateTests {
  /// An update as Adam's, with more elements than one thread's chunk.
  private func graph(_ shape: Shape) throws -> Graph {
    try trace { scope in
      let p = scope.parameter("p", shape, .zeros)
      let (m, v) = (scope.state("m", shape, .zeros), scope.state("v", shape, .zeros))
      let g = scope.argument("g", .float32, shape)
      let first = try m * 0.9 + g * 0.1
      let second = try v * 0.99 + g * g * 0.01
      scope.update("m", first)
      scope.update("v", second)
      let change = try first / (sqrt(abs(second)) + 0.5)
      let next = try maximum(p * 0.99, -p) - scope.argument("rate", .float32, []) * change
      scope.update("p", next)
      return ["norm": try (next * next).reduced(.sum, axes: Array(shape.indices))]
    }
  }

  @Test("in one pass give the reference's results", arguments: [[7], [3, 5, 3, 3], [2000, 3]])
  func reference(shape: [Int]) throws {
    try expectReferenceResults(
      graph(Shape(shape)), within: Tolerance(relative: 1e-4, absolute: 1e-5))
  }

  @Test("are one step a parameter, which writes where the next run reads")
  func steps() throws {
    let graph = try graph([64, 9])
    var store = ParameterStore()
    for ((input, _), value) in zip(graph.inputs, randomInputs(graph, seed: 1)) {
      if let path = input.path { store[path] = value }
    }
    let profiler = try OneDNNBackend(.compiled, threads: 2)
      .profiler(for: graph, PreparedParameters(store))
    let large = profiler.steps.filter { $0.results.contains { $0.shape == [64, 9] } }
    #expect(large.count == 1 && large[0].implementation.hasPrefix("elementwise"))
  }

  /// Updates of which each reads the other's old value; they stay in -1...1.
  static let crossings: [@Sendable (_ p: Tensor, _ v: Tensor) throws -> (p: Tensor, v: Tensor)] = [
    { p, v in
      let next = try p * 0.5 + v * 0.5
      return (next, try next * p)
    },
    // The places of both are exchanged.
    { p, v in
      let next = try v * 0.75
      return (next, try next * 0.5 - p * 0.5)
    },
  ]

  @Test(
    "that read each other's old values are the reference's, run after run",
    arguments: crossings.indices, [[5], [7, 3], [2000, 3]])
  func crossed(crossing: Int, shape: [Int]) throws {
    let graph = try trace { scope in
      let p = scope.parameter("p", Shape(shape), .zeros)
      let v = scope.state("v", Shape(shape), .zeros)
      let next = try Self.crossings[crossing](p, v)
      scope.update("p", next.p)
      scope.update("v", next.v)
      return [:]
    }
    var store = ParameterStore()
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    for path in ["p", "v"] { store[path] = random.tensor(Shape(shape)) }
    let steps = try OneDNNBackend(.compiled, threads: 2)
      .profiler(for: graph, PreparedParameters(store)).steps
    #expect(steps.map(\.results.count) == [2])
    let session = Session(OneDNNBackend(.compiled, threads: 2), store) { _ in graph }
    let reference = Session(ReferenceBackend(), store) { _ in graph }
    for step in 0..<4 {
      _ = try session.run([:], batch: 1)
      _ = try reference.run([:], batch: 1)
      let (got, expected) = (try session.updatedParameters, try reference.updatedParameters)
      for path in ["p", "v"] {
        let wrong = difference(
          try #require(got[path]), from: try #require(expected[path]), within: .elementwise)
        #expect(wrong == nil, "\(path) after step \(step)")
      }
    }
  }

  @Test("of a run stay as they are while later runs go on", arguments: modes)
  func kept(mode: OneDNNBackend.Mode) throws {
    let shape: Shape = [40, 30]
    let doubled = try trace { scope in
      let state = scope.state("s", shape, .zeros)
      scope.update("s", try state + state)
      return [:]
    }
    let program = try OneDNNBackend(mode, threads: 2).compile(
      doubled, PreparedParameters(ParameterStore()))
    let execution = try program.makeExecution()
    var values = [HostTensor(shape, [Float](repeating: 1, count: 1200))]
    for _ in 0..<6 { values.append(try execution.run([values[values.count - 1]])[0]) }
    for (power, tensor) in values.enumerated() {
      #expect(tensor.floats.allSatisfy { $0 == Float(1 << power) })
    }
    // Now blocks come back and are written again.
    var last = values[6]
    values = []
    for power in 7..<20 {
      last = try execution.run([last])[0]
      #expect(last.floats.allSatisfy { $0 == Float(1 << power) })
    }
  }
}
