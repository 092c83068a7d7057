import ApusIR
import ApusRuntime

/// Runs graphs node by node in plain loops: slow, and what every other backend is compared with.
public struct ReferenceBackend: Backend {
  public var name: String { "reference" }

  public init() {}

  public func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program {
    let updated = graph.updatedPaths
    var stored: [String: HostTensor] = [:]
    for (input, _) in graph.inputs {
      guard let path = input.path, !updated.contains(path) else { continue }
      stored[path] = try parameters.parameter(path, input.type)
    }
    return ReferenceProgram(graph: graph, parameters: stored)
  }
}

private struct ReferenceProgram: Program {
  let graph: Graph
  let parameters: [String: HostTensor]
  private let updated: Set<String>

  init(graph: Graph, parameters: [String: HostTensor]) {
    self.graph = graph
    self.parameters = parameters
    updated = graph.updatedPaths
  }

  var inputs: [Input] { graph.inputs.map(\.input).filter(isGiven) }

  /// Parameters that runs update are given with each run, as all backends want them.
  func isGiven(_ input: Input) -> Bool { input.path.map(updated.contains) ?? true }

  func parameter(of input: Input) -> HostTensor? { input.path.flatMap { parameters[$0] } }

  var outputs: [Graph.Output.Role] { graph.outputs.map(\.role) }
  var plannedSizeInBytes: PlannedSize { PlannedSize(parameters: 0, arena: 0) }

  func makeExecution() throws(BackendError) -> any Execution { ReferenceExecution(self) }
}

private final class ReferenceExecution: Execution {
  private let program: ReferenceProgram

  init(_ program: ReferenceProgram) { self.program = program }

  func start(_ inputs: [DeviceTensor]) throws(BackendError) -> [DeviceTensor] {
    var given = inputs[...]
    var values: [HostTensor] = []
    for (input, _) in program.graph.inputs {
      let value =
        program.isGiven(input) ? try given.popFirst()?.hostTensor() : program.parameter(of: input)
      guard let value, value.type == input.type else {
        throw .wrongInput(name: input.name, expected: input.type, given: value?.type)
      }
      values.append(value)
    }
    do {
      return try program.graph.evaluate(values).map(DeviceTensor.host)
    } catch {
      throw .unsupported(error.description)
    }
  }
}
