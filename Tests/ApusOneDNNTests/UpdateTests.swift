import ApusIR
import ApusOneDNN
import ApusPlan
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
