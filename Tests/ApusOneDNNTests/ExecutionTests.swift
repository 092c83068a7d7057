import ApusIR
import ApusOneDNN
import ApusPlan
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Foundation
import Synchronization
import Testing

@Suite("Programs and executions on oneDNN")
struct ExecutionTests {
  /// A small network of convolutions with batch norm, pooling and a linear layer.
  private func network(_ batch: Int, size: Int = 20) throws -> Graph {
    try trace { scope in
      var x = scope.argument("x", .float32, [batch, 3, size, size])
      for (index, channels) in [16, 24].enumerated() {
        let part = scope["block"][index]
        let filter = part.parameter("weight", [channels, x.shape[1], 3, 3], .heNormal)
        x = try convolution(x, filter, Convolution(padding: Padding2D(1)))
        x = try relu(
          batchNorm(
            x, scale: part.parameter("scale", [channels], .ones),
            offset: part.parameter("offset", [channels], .zeros),
            mean: part.state("mean", [channels], .zeros),
            variance: part.state("variance", [channels], .ones), epsilon: 1e-5))
        x = try maxPool(x, kernel: 2, stride: 2)
      }
      let weight = scope.parameter("fc", [10, 24], .uniformFanIn(24))
      return ["y": try dot(globalAveragePool(x), weight, transposesRight: true)]
    }
  }

  @Test("several executions of one program run at once on threads of their own", arguments: modes)
  func concurrent(mode: Planner.Mode) throws {
    let graph = try network(2)
    let store = ParameterStore(initializing: graph, seed: .random(in: 0 ... .max))
    let program = try OneDNNBackend(mode, threads: 1).compile(graph, PreparedParameters(store))
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let inputs = (0..<4).map { _ in random.tensor([2, 3, 20, 20]) }
    let expected = try inputs.map { try program.makeExecution().run([$0])[0].floats }
    let failures = Mutex<[String]>([])
    let group = DispatchGroup()
    for thread in 0..<2 {
      group.enter()
      Thread {
        defer { group.leave() }
        do {
          let execution = try program.makeExecution()
          for turn in 0..<40 {
            let index = (turn + thread) % inputs.count
            if try execution.run([inputs[index]])[0].floats != expected[index] {
              failures.withLock { $0.append("thread \(thread), turn \(turn)") }
            }
          }
        } catch { failures.withLock { $0.append("\(error)") } }
      }.start()
    }
    group.wait()
    #expect(failures.withLock { $0 } == [])
  }

  @Test("an image's result does not depend on the others in its batch", arguments: modes)
  func batchComposition(mode: Planner.Mode) throws {
    let store = ParameterStore(initializing: try network(1), seed: .random(in: 0 ... .max))
    let session = Session(OneDNNBackend(mode, threads: 2), store) { try network($0) }
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let images = (0..<5).map { _ in random.tensor([1, 3, 20, 20], in: -2...2) }
    let single = try images.map { try #require(session.run(["x": $0], batch: 1)["y"]).floats }
    let joined = HostTensor([5, 3, 20, 20], images.flatMap(\.floats))
    let batch = try #require(session.run(["x": joined], batch: 5)["y"])
    let expected = HostTensor([5, 10], single.flatMap { $0 })
    #expect(difference(batch, from: expected, within: .accumulation) == nil)
    #expect(Set(single).count == 5)
  }

  @Test("programs of all batch sizes and several threads share prepared forms")
  func sharedForms() throws {
    let graph = try network(1)
    for mode in modes {
      let parameters = PreparedParameters(ParameterStore(initializing: graph))
      let first = OneDNNBackend.preparedForms(
        of: try OneDNNBackend(mode, threads: 1).compile(graph, parameters))
      #expect(first.count >= 3)
      #expect(Set(first.values).count == first.count)
      for (batch, threads) in [(1, 1), (1, 2), (3, 1)] {
        let again = OneDNNBackend.preparedForms(
          of: try OneDNNBackend(mode, threads: threads).compile(try network(batch), parameters))
        // A kernel for another batch may want another layout, but what has the same key is shared.
        for (key, place) in again where first[key] != nil { #expect(first[key] == place) }
        #expect(again.keys.contains { first[$0] != nil })
        if (batch, threads) == (1, 1) { #expect(again == first) }
      }
    }
  }

  @Test("a form that one program returns is where another starts from")
  func intermediateForms() throws {
    func graph(_ returnsBoth: Bool) throws -> Graph {
      try trace { scope in
        let power = try exp(scope.parameter("p", [64], .ones))
        let more = try tanh(power) + scope.argument("x", .float32, [64])
        return returnsBoth ? ["power": power, "y": more] : ["power": power]
      }
    }
    var store = ParameterStore()
    store["p"] = HostTensor([64], (0..<64).map { Float($0) / 64 })
    let parameters = PreparedParameters(store)
    let backend = OneDNNBackend(.compiled, threads: 1)
    let one = OneDNNBackend.preparedForms(of: try backend.compile(graph(false), parameters))
    let both = OneDNNBackend.preparedForms(of: try backend.compile(graph(true), parameters))
    #expect(one.count == 1 && both.count == 2)
    for (key, place) in one { #expect(both[key] == place) }
  }

  @Test("indices of several sizes do not take each other's places")
  func iotas() throws {
    let parameters = PreparedParameters(ParameterStore())
    for count in [4, 1000, 7] {
      var graph = Graph()
      let type = TensorType(.float32, [count])
      let indices = try graph.append(.iota(Iota(type, axis: 0)))[0]
      let x = try graph.append(.input(Input(.argument("x"), type)))[0]
      graph.output(.result("y"), try graph.append(.binary(.add), [indices, x])[0])
      let program = try OneDNNBackend(.compiled, threads: 1).compile(graph, parameters)
      let x0 = HostTensor([count], Array(repeating: 0.5, count: count))
      let y = try program.makeExecution().run([x0])[0].floats
      #expect(y == (0..<count).map { Float($0) + 0.5 })
    }
  }

  @Test("a batch that memory cannot hold is an error before it runs", arguments: modes)
  func outOfMemory(mode: Planner.Mode) throws {
    let graph = try network(1 << 20, size: 224)
    let store = ParameterStore(initializing: graph)
    let backend = OneDNNBackend(mode, threads: 2, microBatch: 1 << 20)
    let program = try backend.compile(graph, PreparedParameters(store))
    let size = program.plannedSizeInBytes.arena
    #expect(size > 1 << 40)
    #expect(throws: BackendError.outOfMemory(sizeInBytes: size)) { try program.makeExecution() }
  }

  @Test("wrong inputs are named with what they must be", arguments: modes)
  func wrongInputs(mode: Planner.Mode) throws {
    let graph = try network(2)
    let store = ParameterStore(initializing: graph)
    let program = try OneDNNBackend(mode, threads: 1).compile(graph, PreparedParameters(store))
    let execution = try program.makeExecution()
    let expected = TensorType(.float32, [2, 3, 20, 20])
    for type in [
      TensorType(.float32, [1, 3, 20, 20]), TensorType(.float64, [2, 3, 20, 20]),
      TensorType(.float32, [2, 3, 20]),
    ] {
      let given = HostTensor(type, rounding: Array(repeating: 0.25, count: type.elementCount))
      #expect(throws: BackendError.wrongInput(name: "x", expected: expected, given: type)) {
        try execution.run([given])
      }
    }
    #expect(throws: BackendError.wrongInput(name: "x", expected: expected, given: nil)) {
      try execution.run([])
    }
    var random = RandomTensors(seed: 1)
    #expect(try execution.run([random.tensor([2, 3, 20, 20])])[0].floats.allSatisfy(\.isFinite))
  }

  @Test("missing parameters are named", arguments: modes)
  func missingParameters(mode: Planner.Mode) throws {
    var store = ParameterStore(initializing: try network(1))
    store["block.1.mean"] = nil
    #expect {
      try OneDNNBackend(mode, threads: 1).compile(network(1), PreparedParameters(store))
    } throws: { "\($0)" == "parameter \"block.1.mean\": must be float32[24], got nothing" }
  }

  @Test("inputs may move between runs, and lie unaligned", arguments: modes)
  func movingInputs(mode: Planner.Mode) throws {
    let graph = try network(1)
    let store = ParameterStore(initializing: graph)
    let program = try OneDNNBackend(mode, threads: 2).compile(graph, PreparedParameters(store))
    let execution = try program.makeExecution()
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let long = random.tensor([3 * 20 * 20 + 5])
    for offset in 0..<5 {
      let view = HostTensor(
        TensorType(.float32, [1, 3, 20, 20]), storage: long.storage, offsetInBytes: 4 * offset)
      let copy = HostTensor([1, 3, 20, 20], view.floats)
      let results = try (execution.run([view])[0], execution.run([copy])[0])
      #expect(results.0.floats == results.1.floats)
    }
  }
}

@Suite("The thread team")
struct ThreadTeamTests {
  @Test("runs each thread number once", arguments: [1, 2, 8])
  func numbers(threads: Int) {
    for _ in 0..<20 {
      let seen = Mutex<[Int]>([])
      ThreadTeam.run(threads: threads) { thread in seen.withLock { $0.append(thread) } }
      #expect(seen.withLock { $0.sorted() } == Array(0..<threads))
    }
    #expect(ThreadTeam.defaultSize >= 1)
  }
}
