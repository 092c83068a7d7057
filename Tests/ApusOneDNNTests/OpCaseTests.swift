import ApusIR
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTestSupport
import Testing

@Suite("Every op on oneDNN equals the reference")
struct OpCaseTests {
  @Test("with operands given at each run", arguments: OpCase.all, [Planner.Mode.eager, .compiled])
  func dynamic(row: OpCase, mode: Planner.Mode) throws {
    for threads in [1, 2] {
      let seed = UInt64.random(in: 0 ... .max)
      let graph = try row.graph()
      let inputs = row.inputs(seed: seed)
      let program = try OneDNNBackend(mode, threads: threads, verifies: true)
        .compile(graph, PreparedParameters(ParameterStore()))
      let results = try program.makeExecution().run(inputs)
      let expected = try graph.evaluate(inputs)
      for (result, expected) in zip(results, expected) {
        let failure = difference(result, from: expected, within: row.tolerance)
        #expect(failure == nil, "seed \(seed), \(threads) threads")
      }
    }
  }

  @Test(
    "with all operands but the first as parameters", arguments: OpCase.all,
    [Planner.Mode.eager, .compiled])
  func prepared(row: OpCase, mode: Planner.Mode) throws {
    let seed = UInt64.random(in: 0 ... .max)
    let inputs = row.inputs(seed: seed)
    let (graph, store) = try row.graphWithParameters(inputs)
    let program = try OneDNNBackend(mode, threads: 2, verifies: true).compile(
      graph, PreparedParameters(store))
    let results = try program.makeExecution().run(Array(inputs.prefix(program.inputs.count)))
    let expected = try row.graph().evaluate(inputs)
    for (result, expected) in zip(results, expected) {
      let failure = difference(result, from: expected, within: row.tolerance)
      #expect(failure == nil, "seed \(seed)")
    }
  }
}

extension OpCase {
  /// The row's graph with its first operand as an argument and the others as parameters.
  fileprivate func graphWithParameters(
    _ values: [HostTensor]
  ) throws -> (graph: Graph, store: ParameterStore) {
    if case .input = op { return (try graph(), ParameterStore()) }
    var graph = Graph()
    var store = ParameterStore()
    var operands: [Value] = []
    for (index, value) in values.enumerated() {
      let role: Input.Role = index == 0 ? .argument("x0") : .parameter("p\(index)")
      operands += try graph.append(.input(Input(role, value.type)))
      if index > 0 { store["p\(index)"] = value }
    }
    for (index, result) in try graph.append(op, operands).enumerated() {
      graph.output(.result("y\(index)"), result)
    }
    return (graph, store)
  }
}
