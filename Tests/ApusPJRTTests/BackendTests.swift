import ApusIR
import ApusPJRT
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Graphs on XLA equal the reference", .enabled(if: TestPlugin.isFound, TestPlugin.missing))
struct BackendTests {
  private static let modes = [XLABackend.Mode.eager, .compiled]

  @Test("for every op, in one program or node by node", arguments: OpCase.all, modes)
  func ops(row: OpCase, mode: XLABackend.Mode) throws {
    let seed = UInt64.random(in: 0 ... .max)
    let graph = try row.graph()
    let inputs = row.inputs(seed: seed)
    let results = try run(graph, inputs, mode)
    for (result, expected) in zip(results, try graph.evaluate(inputs)) {
      #expect(difference(result, from: expected, within: row.xlaTolerance) == nil, "seed \(seed)")
    }
  }

  @Test(
    "made at random, again in a second run, and with parameters prepared once", arguments: modes)
  func random(mode: XLABackend.Mode) throws {
    for _ in 0..<12 {
      let seed = UInt64.random(in: 0 ... .max)
      let random = try RandomGraph(seed: seed, nodes: 8)
      let inputs = random.inputs()
      let expected = try random.graph.evaluate(inputs)
      for (result, expected) in zip(try run(random.graph, inputs, mode), expected) {
        let tolerance = Tolerance(relative: 1e-4, absolute: 1e-4)
        #expect(difference(result, from: expected, within: tolerance) == nil, "seed \(seed)")
      }
    }
  }

  @Test(
    "roughly in 16 bits, with images and results in 32", arguments: [Precision.bfloat16, .float16])
  func narrow(precision: Precision) throws {
    let graph = try convolution()
    let inputs = randomInputs(graph)
    let expected = try graph.evaluate(inputs)[0]
    for mode in Self.modes {
      let result = try run(graph, inputs, mode, precision)[0]
      #expect(result.type == expected.type)
      let tolerance: Tolerance =
        precision == .bfloat16 ? .init(relative: 4e-2) : .init(relative: 4e-3)
      #expect(difference(result, from: expected, within: tolerance) == nil)
      // It would not be worth the name if nothing were rounded.
      #expect(difference(result, from: expected, within: .accumulation) != nil)
    }
  }

  @Test("and programs of two batch sizes share what was prepared of the parameters")
  func shared() throws {
    let graphs = [try convolution(batch: 1), try convolution(batch: 3)]
    let inputs = randomInputs(graphs[0])
    let parameters = store(graphs[0], inputs)
    let backend = XLABackend(try TestPlugin.device(), verifies: true)
    let programs = try graphs.map { try backend.compile($0, parameters) }
    let forms = programs.map { XLABackend.staticBuffers(of: $0) }
    #expect(!forms[0].isEmpty)
    #expect(forms[0] == forms[1])
  }

  @Test("with a parameter that runs update: it stays on the device, and its memory is used again")
  func updates() throws {
    let device = try TestPlugin.device()
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [64])
      let total = scope.state("total", [64], .zeros)
      scope.update("total", try total + x)
      return ["sum": try (total + x).sum(0)]
    }
    let x = randomTensor([64])
    var start = ParameterStore()
    start["total"] = HostTensor([64], Array(repeating: 0, count: 64))
    for mode in Self.modes {
      let session = Session(XLABackend(device, mode), start) { _ in graph }
      var expected: Float = 0
      for run in 1...5 {
        let sum = try #require(try session.run(["x": x], batch: 1)["sum"]).floats[0]
        expected = Float(run) * x.floats.reduce(0, +)
        #expect(abs(sum - expected) <= 1e-3)
      }
      let total = try #require(try session.updatedParameters["total"])
      #expect(zip(total.floats, x.floats).allSatisfy { abs($0 - 5 * $1) <= 1e-4 })
    }
  }

  @Test("and an input of another type is refused by its name")
  func wrongInput() throws {
    let graph = try convolution()
    let inputs = randomInputs(graph)
    let program = try XLABackend(try TestPlugin.device()).compile(graph, store(graph, inputs))
    let execution = try program.makeExecution()
    for wrong in [[HostTensor([2], [1, 2])], []] {
      #expect {
        try execution.run(wrong)
      } throws: { error in
        guard case .wrongInput("x", _, _)? = error as? BackendError else { return false }
        return true
      }
    }
  }

  private func convolution(batch: Int = 2) throws -> Graph {
    try trace { scope in
      let x = scope.argument("x", .float32, [batch, 8, 9, 7])
      let filter = scope.parameter("filter", [12, 8, 3, 3], .heNormal)
      let vector = scope.parameter("vector", [12], .ones)
      let scaled = try filter * vector.broadcast(to: filter.shape, axes: [0])
      let y = try ApusTensor.convolution(x, scaled, Convolution(padding: Padding2D(1)))
      return ["y": try relu(y + vector.broadcast(to: y.shape, axes: [1]))]
    }
  }

  private func randomInputs(_ graph: Graph) -> [HostTensor] {
    graph.inputs.map { randomTensor($0.input.type.shape) }
  }

  private func randomTensor(_ shape: Shape) -> HostTensor {
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    return random.tensor(shape, in: -1...1)
  }

  private func store(_ graph: Graph, _ values: [HostTensor]) -> PreparedParameters {
    var store = ParameterStore()
    for ((input, _), value) in zip(graph.inputs, values) {
      if let path = input.path { store[path] = value }
    }
    return PreparedParameters(store)
  }

  private func run(
    _ graph: Graph, _ values: [HostTensor], _ mode: XLABackend.Mode,
    _ precision: Precision = .float32
  ) throws -> [HostTensor] {
    let backend = XLABackend(
      try TestPlugin.device(), mode, precision: precision, verifies: true)
    let program = try backend.compile(graph, store(graph, values))
    let byRole = zip(graph.inputs.map(\.input.role), values)
    let inputs = try program.inputs.map { input in
      try #require(byRole.first { $0.0 == input.role }?.1)
    }
    let execution = try program.makeExecution()
    let first = try execution.run(inputs)
    let second = try execution.run(inputs)
    #expect(zip(first, second).allSatisfy { $0.isIdentical(to: $1) })
    return first
  }
}

extension OpCase {
  /// XLA adds numbers one after the other, and its CPU takes subnormal numbers for zero.
  fileprivate var xlaTolerance: Tolerance {
    if tolerance.relative == 0 { return Tolerance(relative: 0, absolute: 1.2e-38) }
    return Tolerance(
      relative: max(tolerance.relative, 1e-5), absolute: max(tolerance.absolute, 5e-6))
  }
}
