import ApusIR
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Micro-batches")
struct MicroBatchTests {
  /// Two blocks with a shortcut, a scale for each channel, and results of two shapes.
  private func network(_ batch: Int) throws -> Graph {
    try trace { scope in
      let x = scope.argument("x", .float32, [batch, 3, 14, 13])
      func convolve(_ name: String, _ x: Tensor) throws -> Tensor {
        let filter = scope.parameter("\(name).w", [24, x.shape[1], 3, 3], .heNormal)
        let bias = scope.parameter("\(name).b", [24], .zeros)
        return try convolution(x, filter, bias: bias, Convolution(padding: Padding2D(1)))
      }
      let shortcut = try relu(convolve("a", x))
      var y = try relu(convolve("b", shortcut) + shortcut)
      y = try y * sigmoid(y.mean(2, 3)).broadcast(to: y.shape, axes: [0, 1])
      let other = try scope.argument("noise", .float32, [batch, 24]) + globalAveragePool(y)
      let weight = scope.parameter("fc", [10, 24], .uniformFanIn(24))
      return ["y": try dot(other, weight, transposesRight: true), "images": y]
    }
  }

  @Test("equal the whole batch and the reference", arguments: [1, 2, 3], [false, true])
  func equal(size: Int, exact: Bool) throws {
    let seed = UInt64.random(in: 0 ... .max)
    let graph = try network(6)
    let values = randomInputs(graph, seed: seed)
    let expected = try graph.evaluate(values)
    func compiled(_ size: Int) throws -> (program: any Program, inputs: [HostTensor]) {
      try compile(
        graph, values, OneDNNBackend(.compiled, threads: 2, exact: exact, microBatch: size))
    }
    let (whole, split) = try (compiled(6), compiled(size))
    #expect(OneDNNBackend.microBatch(of: whole.program) == 6)
    #expect(OneDNNBackend.microBatch(of: split.program) == size)
    #expect(split.program.inputs == whole.program.inputs)
    #expect(split.program.outputs == whole.program.outputs)
    let arenas = (whole.program, split.program)
    #expect(arenas.1.plannedSizeInBytes.arena < arenas.0.plannedSizeInBytes.arena)
    let one = try whole.program.makeExecution().run(whole.inputs)
    let execution = try split.program.makeExecution()
    // The second time the inputs are elsewhere, and not aligned.
    for inputs in [split.inputs, split.inputs.map(moved)] {
      let parts = try execution.run(inputs)
      for (index, part) in parts.enumerated() {
        // Only the library's matrix product may add in another order for another batch: on AVX2 it
        // does.
        let isExact = exact && part.shape.rank == 4
        let tolerance: Tolerance = isExact ? .exact : Tolerance(relative: 1e-5, absolute: 1e-5)
        #expect(difference(part, from: one[index], within: tolerance) == nil, "seed \(seed)")
        let failure = difference(
          part, from: expected[index], within: Tolerance(relative: 1e-4, absolute: 1e-4))
        #expect(failure == nil, "seed \(seed)")
      }
    }
  }

  /// The same values at another, odd place.
  private func moved(_ tensor: HostTensor) -> HostTensor {
    let longer = HostTensor([tensor.type.elementCount + 1], [0] + tensor.floats)
    return HostTensor(tensor.type, storage: longer.storage, offsetInBytes: 4)
  }

  @Test("share prepared forms with programs for batches of their size")
  func sharedForms() throws {
    let parameters = PreparedParameters(ParameterStore(initializing: try network(2)))
    let backend = OneDNNBackend(.compiled, threads: 1, microBatch: 2)
    let forms = try [2, 6].map { batch in
      OneDNNBackend.preparedForms(of: try backend.compile(network(batch), parameters))
    }
    #expect(forms[0].count >= 2 && forms[0] == forms[1])
  }

  @Test("take and name the types of the whole batch")
  func wrongInputs() throws {
    let graph = try network(4)
    let program = try OneDNNBackend(.compiled, threads: 1, microBatch: 2)
      .compile(graph, PreparedParameters(ParameterStore(initializing: graph)))
    let expected = TensorType(.float32, [4, 3, 14, 13])
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let part = random.tensor([2, 3, 14, 13])
    #expect(throws: BackendError.wrongInput(name: "x", expected: expected, given: part.type)) {
      try program.makeExecution().run([part, random.tensor([4, 24])])
    }
  }

  @Test("must divide the batch, and images must not depend on each other")
  func refused() throws {
    let mixing = try trace { scope in
      let x = scope.argument("x", .float32, [6, 5])
      return ["y": try x - x.mean(0).broadcast(to: x.shape)]
    }
    let uncertain =
      "micro-batch 2: every result must depend on one image alone, got a graph of which that is "
      + "not certain; leave the micro-batch out"
    func must(_ size: Int) -> String {
      "micro-batch \(size): must divide the number of images that run together, got 6"
    }
    let rows: [(graph: Graph, size: Int, message: String)] = [
      (try network(6), 4, must(4)), (try network(6), 12, must(12)), (try network(6), 0, must(0)),
      (try network(6), -2, must(-2)), (mixing, 2, uncertain),
    ]
    for (graph, size, message) in rows {
      let parameters = PreparedParameters(ParameterStore(initializing: graph))
      let backend = OneDNNBackend(.compiled, threads: 1, microBatch: size)
      #expect(throws: BackendError.unsupported(message)) {
        try backend.compile(graph, parameters)
      }
      // Eager runs never split.
      _ = try OneDNNBackend(.eager, threads: 1, microBatch: size).compile(graph, parameters)
    }
    // A whole batch needs no proof.
    let parameters = PreparedParameters(ParameterStore())
    _ = try OneDNNBackend(.compiled, threads: 1, microBatch: 6).compile(mixing, parameters)
    try expectReferenceResults(mixing)
  }

  @Test("are chosen by the rule unless told, and not where images depend on each other")
  func rule() throws {
    func size(_ graph: Graph, _ backend: OneDNNBackend) throws -> Int? {
      OneDNNBackend.microBatch(
        of: try backend.compile(
          graph, PreparedParameters(ParameterStore(initializing: graph))))
    }
    let backend = OneDNNBackend(.compiled, threads: 1)
    let sizes = try [3, 4, 8, 10].map { try size(network($0), backend) }
    #expect(sizes == [3, 4, 4, 2])
    #expect(try size(network(8), OneDNNBackend(.eager, threads: 1)) == nil)
    let mixing = try trace { scope in
      let x = scope.argument("x", .float32, [8, 5])
      return ["y": try x - x.mean(0).broadcast(to: x.shape)]
    }
    #expect(try size(mixing, backend) == 8)
    try expectReferenceResults(
      network(8), within: Tolerance(relative: 1e-4, absolute: 1e-4), "by the rule")
  }

  @Test("each have their steps in a profile, whose times are sums over them")
  func profile() throws {
    let graph = try network(6)
    let values = randomInputs(graph, seed: .random(in: 0 ... .max))
    var store = ParameterStore()
    for ((input, _), value) in zip(graph.inputs, values) {
      if let path = input.path { store[path] = value }
    }
    let profiler = try OneDNNBackend(.compiled, threads: 1, microBatch: 2)
      .profiler(for: graph, PreparedParameters(store))
    #expect(profiler.microBatches == 3)
    let convolutions = profiler.steps.filter { $0.kind == .convolution }
    #expect(convolutions.map { $0.results[0].shape } == [[2, 24, 14, 13], [2, 24, 14, 13]])
    let inputs = zip(graph.inputs, values).filter { $0.0.input.path == nil }.map { $0.1 }
    for _ in 0..<2 {
      let times = try profiler.run(inputs.map(DeviceTensor.host))
      #expect(times.microBatches.map(\.count) == Array(repeating: profiler.steps.count, count: 3))
      var last = times.run.lowerBound
      for step in times.microBatches.joined() {
        #expect(step.lowerBound >= last)
        last = step.upperBound
      }
      #expect(last <= times.run.upperBound)
      let sum = profiler.steps.indices.reduce(0) { $0 + times.nanoseconds(ofStep: $1) }
      #expect(sum + times.overhead == Int64(times.run.count) && times.overhead >= 0)
    }
  }
}
