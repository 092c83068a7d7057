import ApusIR
import ApusOneDNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

/// What runs update lies in memory that they take over.
@Suite("Updated parameters and states")
struct StateTests {
  /// Two states change places, a third is counted on, and a fourth is rewritten by other ops.
  private func graph(_ batch: Int) throws -> Graph {
    try trace { scope in
      let x = scope.argument("x", .float32, [batch, 6])
      let (a, b) = (scope.state("a", [6], .zeros), scope.state("b", [6], .zeros))
      let (count, mean) = (scope.state("count", [6], .zeros), scope.state("mean", [6], .zeros))
      scope.update("a", b)
      scope.update("b", a)
      scope.update("count", try count * 2 + 1)
      scope.update("mean", try mean * 0.5 + x.mean(0) * 0.5)
      return ["before": count, "sum": try a + b + mean]
    }
  }

  private func values() -> (store: ParameterStore, x: HostTensor) {
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    var store = ParameterStore()
    for path in ["a", "b", "count", "mean"] { store[path] = random.tensor([6]) }
    return (store, random.tensor([3, 6]))
  }

  @Test("are what the reference makes of them, run after run", arguments: modes)
  func values(mode: OneDNNBackend.Mode) throws {
    let (store, x) = values()
    let session = Session(OneDNNBackend(mode, threads: 2), store, graph: graph)
    let reference = Session(ReferenceBackend(), store, graph: graph)
    for _ in 0..<3 {
      let results = try session.run(["x": x], batch: 3)
      let expected = try reference.run(["x": x], batch: 3)
      for (name, tensor) in expected {
        let wrong = difference(
          try #require(results[name]), from: tensor, within: Tolerance(relative: 1e-6))
        #expect(wrong == nil, "\(name)")
      }
    }
    let (updated, expected) = (try session.updatedParameters, try reference.updatedParameters)
    #expect(updated.paths == ["a", "b", "count", "mean"])
    for path in expected.paths {
      let wrong = difference(
        try #require(updated[path]), from: try #require(expected[path]),
        within: Tolerance(relative: 1e-6))
      #expect(wrong == nil, "\(path)")
    }
  }

  @Test("leave the tensors they began with as they were", arguments: modes)
  func given(mode: OneDNNBackend.Mode) throws {
    let (store, x) = values()
    let before = store.paths.map { store[$0]?.floats }
    let session = Session(OneDNNBackend(mode, threads: 2), store, graph: graph)
    let first = try session.run(["x": x], batch: 3)
    let kept = try session.updatedParameters
    let copies = kept.paths.map { kept[$0]?.floats }
    _ = try session.run(["x": x], batch: 3)
    #expect(store.paths.map { store[$0]?.floats } == before)
    #expect(kept.paths.map { kept[$0]?.floats } == copies)
    #expect(first["before"]?.floats == before[2])
  }

  @Test("cannot be used again once a run has taken them over", arguments: modes)
  func takenOver(mode: OneDNNBackend.Mode) throws {
    let (store, x) = values()
    let graph = try graph(3)
    let program = try OneDNNBackend(mode, threads: 1).compile(graph, PreparedParameters(store))
    let given = try program.inputs.enumerated().map { index, input in
      try program.upload(input.path.map { try #require(store[$0]) } ?? x, input: index)
    }
    let execution = try program.makeExecution()
    // A run that cannot begin takes nothing over.
    #expect(throws: BackendError.self) { try execution.start(Array(given.dropLast())) }
    let results = try execution.start(given)
    for (input, tensor) in zip(program.inputs, given) where input.path != nil {
      #expect {
        _ = try tensor.hostTensor()
      } throws: { "\($0)".contains("taken over") }
    }
    for result in results { #expect(try result.hostTensor().type == result.type) }
  }

  @Test("take no memory beside the values they replace")
  func memory() throws {
    let parameters = 64
    let graph = try trace(training: true) { scope in
      let x = scope.argument("x", .float32, [1])
      for index in 0..<parameters {
        let p = scope.parameter("p\(index)", [1024], .ones)
        let velocity = scope.state("optimizer.momentum.p\(index)", [1024], .zeros)
        let next = try velocity * 0.9 + p * x.broadcast(to: [1024])
        scope.update("optimizer.momentum.p\(index)", next)
        scope.update("p\(index)", try p - next * 0.01)
      }
      return ["x": x]
    }
    let program = try OneDNNBackend(threads: 1).compile(
      graph, PreparedParameters(ParameterStore(initializing: graph)))
    #expect(program.plannedSizeInBytes.states == 2 * parameters * 4096)
    #expect(program.plannedSizeInBytes.arena <= 4 * 4096)
  }
}
