import ApusIR
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTestSupport
import Testing

let modes: [Planner.Mode] = [.eager, .compiled]

/// Values for a graph's inputs: random, positive where a variance is meant.
func randomInputs(_ graph: Graph, seed: UInt64) -> [HostTensor] {
  var random = RandomTensors(seed: seed)
  return graph.inputs.map { input, _ in
    let range = input.name.hasSuffix("variance") ? 0.5...2 : -1...1
    return random.tensor(OperandSpec(input.type, .uniform(range)))
  }
}

/// A program for a graph and the inputs of its runs, from values for all of the graph's inputs.
func compile(
  _ graph: Graph, _ values: [HostTensor], _ backend: OneDNNBackend
) throws -> (program: any Program, inputs: [HostTensor]) {
  var store = ParameterStore()
  for ((input, _), value) in zip(graph.inputs, values) {
    if let path = input.path { store[path] = value }
  }
  let program = try backend.compile(graph, PreparedParameters(store))
  let byRole = zip(graph.inputs.map(\.input.role), values)
  let inputs = try program.inputs.map { input in
    try #require(byRole.first { $0.0 == input.role }?.1)
  }
  return (program, inputs)
}

/// Runs a graph on random values in both modes and compares with the reference.
func expectReferenceResults(
  _ graph: Graph, seed: UInt64 = .random(in: 0 ... .max),
  within tolerance: Tolerance = Tolerance(relative: 2e-5, absolute: 2e-5),
  _ comment: Comment = "", sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let values = randomInputs(graph, seed: seed)
  let expected = try graph.evaluate(values)
  for mode in modes {
    let (program, inputs) = try compile(graph, values, OneDNNBackend(mode, threads: 2))
    let execution = try program.makeExecution()
    let results = try execution.run(inputs)
    #expect(results.count == expected.count, sourceLocation: sourceLocation)
    for (got, expected) in zip(results, expected) {
      let wrong = difference(got, from: expected, within: tolerance)
      #expect(wrong == nil, "seed \(seed), \(mode) \(comment)", sourceLocation: sourceLocation)
    }
    // Nothing of the first run may show in the second, and no bit may differ.
    for (first, second) in zip(results, try execution.run(inputs)) {
      let areEqual = difference(second, from: first, within: .exact) == nil
      #expect(
        areEqual, "seed \(seed), \(mode), second run \(comment)", sourceLocation: sourceLocation)
    }
  }
}
