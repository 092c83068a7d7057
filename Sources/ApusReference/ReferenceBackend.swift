import ApusIR
import ApusRuntime

/// Runs graphs node by node in plain loops: slow, and what every other backend is compared with.
public struct ReferenceBackend: Backend {
  public var name: String { "reference" }

  public init() {}

  public func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program {
    var stored: [String: HostTensor] = [:]
    for (input, _) in graph.inputs {
      if let path = input.path { stored[path] = try parameters.parameter(path, input.type) }
    }
    return ReferenceProgram(graph: graph, parameters: stored)
  }
}

private struct ReferenceProgram: Program {
  let graph: Graph
  let parameters: [String: HostTensor]

  /// Parameters that runs update are given with each run, as all backends want them.
  var inputs: [Input] {
    let updated = Set(
      outputs.compactMap { role in
        if case .update(let path) = role { path } else { nil }
      })
    return graph.inputs.map(\.input).filter { input in
      input.path.map(updated.contains) ?? true
    }
  }

  var outputs: [Graph.Output.Role] { graph.outputs.map(\.role) }
  var plannedSizeInBytes: PlannedSize { PlannedSize(parameters: 0, arena: 0) }

  func makeExecution() throws(BackendError) -> any Execution { ReferenceExecution(self) }
}

private final class ReferenceExecution: Execution {
  private let program: ReferenceProgram

  init(_ program: ReferenceProgram) { self.program = program }

  func run(_ inputs: [HostTensor]) throws(BackendError) -> [HostTensor] {
    let given = Dictionary(zip(program.inputs.map(\.role), inputs)) { first, _ in first }
    var values: [HostTensor] = []
    for (input, _) in program.graph.inputs {
      let value = given[input.role] ?? input.path.flatMap { program.parameters[$0] }
      guard let value, value.type == input.type else {
        throw .wrongInput(name: input.name, expected: input.type, given: value?.type)
      }
      values.append(value)
    }
    do {
      return try program.graph.evaluate(values)
    } catch {
      throw .unsupported(error.description)
    }
  }
}
