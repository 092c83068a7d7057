import ApusIR
import ApusReference
import ApusRuntime
import ApusTensor
import Synchronization
import Testing

/// The reference, which counts how often it compiles.
private final class CountingBackend: Backend {
  let compilations = Mutex(0)
  var name: String { "counting" }

  func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program {
    compilations.withLock { $0 += 1 }
    return try ReferenceBackend().compile(graph, parameters)
  }
}

@Suite("A session")
struct SessionTests {
  /// Adds the batch's sum to a state and returns what the state was, plus a parameter.
  private func graph(_ batch: Int) throws -> Graph {
    try trace { scope in
      let x = scope.argument("x", .float32, [batch])
      let total = scope.state("total", [], .zeros)
      scope.update("total", try total + x.sum(0))
      return ["before": total, "y": try x + scope.parameter("p", [1], .ones)]
    }
  }

  private func store() throws -> ParameterStore {
    var store = ParameterStore()
    store["total"] = HostTensor([], [100])
    store["p"] = HostTensor([1], [0.5])
    return store
  }

  @Test("compiles once for each batch size, and feeds updates into the runs of all sizes")
  func caching() throws {
    let backend = CountingBackend()
    let session = Session(backend, try store(), graph: graph)
    try session.prepare(batch: 2)
    #expect(backend.compilations.withLock { $0 } == 1)
    let inputs: [[Float]] = [[1, 2], [3, 4], [5], [6, 7], [8]]
    var total: Float = 100
    for values in inputs {
      let x = HostTensor([values.count], values)
      let results = try session.run(["x": x], batch: values.count)
      #expect(results["before"]?.floats == [total])
      #expect(results["y"]?.floats == values.map { $0 + 0.5 })
      #expect(Set(results.keys) == ["before", "y"])
      total += values.reduce(0, +)
    }
    #expect(backend.compilations.withLock { $0 } == 2)
    #expect(try session.updatedParameters["total"]?.floats == [total])
    #expect(try session.updatedParameters["p"]?.floats == [0.5])
  }

  @Test("names an argument or parameter that is missing or of another type")
  func errors() throws {
    let session = Session(ReferenceBackend(), try store(), graph: graph)
    func message(_ arguments: [String: HostTensor]) -> String {
      do {
        _ = try session.run(arguments, batch: 2)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message([:]) == "input \"x\": must be float32[2], got nothing")
    #expect(message(["y": HostTensor([2], [1, 2])]).hasPrefix("input \"x\""))
    #expect(
      message(["x": HostTensor([3], [1, 2, 3])])
        == "input \"x\": must be float32[2], got float32[3]")
    // A run that fails updates nothing.
    #expect(try session.updatedParameters["total"]?.floats == [100])

    var incomplete = try store()
    incomplete["p"] = nil
    let missing = Session(ReferenceBackend(), incomplete, graph: graph)
    #expect {
      try missing.prepare(batch: 1)
    } throws: { "\($0)" == "parameter \"p\": must be float32[1], got nothing" }
    incomplete["p"] = HostTensor([2], [1, 2])
    let wrong = Session(ReferenceBackend(), incomplete, graph: graph)
    #expect {
      try wrong.prepare(batch: 1)
    } throws: { "\($0)" == "parameter \"p\": must be float32[1], got float32[2]" }
    incomplete = try store()
    incomplete["total"] = nil
    let stateless = Session(ReferenceBackend(), incomplete, graph: graph)
    #expect(throws: BackendError.self) {
      try stateless.run(["x": HostTensor([1], [1])], batch: 1)
    }
    #expect(throws: GraphError.self) { try session.prepare(batch: 0) }
  }

  @Test("goes on from a state it is given, also with other values of what no run updates")
  func restoring() throws {
    func graph(_ batch: Int) throws -> Graph {
      try trace { scope in
        let noise = scope.random(.uniform, [batch])
        let total = scope.state("total", [], .zeros)
        scope.update("total", try total + noise.sum(0))
        return ["y": try noise + scope.parameter("p", [1], .ones)]
      }
    }
    func run(_ session: Session) throws -> [Float] {
      try session.run([:], batch: 3)["y"]?.floats ?? []
    }
    let session = Session(ReferenceBackend(), try store(), seed: 5, graph: graph)
    _ = try run(session)
    var state = try session.trainingState(progress: ["epoch": "2"])
    #expect(state.progress == ["epoch": "2"])
    let next = try run(session)
    let total = try session.updatedParameters["total"]?.floats

    state.parameters["p"] = HostTensor([1], [2.5])
    session.restore(state)
    #expect(zip(try run(session), next).allSatisfy { ($0 - $1 - 2).magnitude < 1e-6 })
    #expect(try session.updatedParameters["total"]?.floats == total)
    #expect(try session.updatedParameters["p"]?.floats == [2.5])
  }

  @Test("draws random inputs afresh for every run, again the same from the same seed")
  func random() throws {
    func runs(seed: UInt64) throws -> [[Float]] {
      let session = Session(ReferenceBackend(), ParameterStore(), seed: seed) { batch in
        try trace { scope in
          ["a": scope.random(.uniform, [batch]), "b": scope.random(.uniform, [batch])]
        }
      }
      return try (0..<2).flatMap { _ in
        let results = try session.run([:], batch: 4)
        return [results["a"]?.floats ?? [], results["b"]?.floats ?? []]
      }
    }
    let seed = UInt64.random(in: 0 ... .max)
    let drawn = try runs(seed: seed)
    #expect(Set(drawn).count == 4)
    #expect(try runs(seed: seed) == drawn)
    #expect(try runs(seed: seed &+ 1) != drawn)
  }
}

@Suite("Prepared parameters")
struct PreparedParametersTests {
  @Test("keep the first form under a key, of its type")
  func forms() {
    let prepared = PreparedParameters(ParameterStore())
    #expect(prepared.form("a", as: Int.self) == nil)
    prepared.keep(1, as: "a")
    prepared.keep(2, as: "a")
    prepared.keep(3, as: "b")
    #expect(prepared.form("a") == 1)
    #expect(prepared.form("b") == 3)
    #expect(prepared.form("a", as: String.self) == nil)
  }
}
