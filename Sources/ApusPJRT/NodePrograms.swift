import ApusIR
import ApusRuntime
import ApusStableHLO

/// The programs of a graph's nodes; equal ones are compiled once.
struct NodePrograms: Sendable {
  let graph: Graph
  /// The programs that differ.
  private(set) var executables: [LoadedExecutable] = []
  /// For each node its program, by its place among ``executables``; `nil` for inputs.
  private(set) var programs: [Int?]

  init(_ graph: Graph, _ backend: XLABackend) throws(BackendError) {
    self.graph = graph
    programs = graph.nodes.map { _ in nil }
    var known: [String: Int] = [:]
    for node in try Self.modules(graph, backend.precision.emitter) {
      let text = node.module.text
      if known[text] == nil {
        known[text] = executables.count
        executables.append(
          try backend.device.compile(node.module, backend.options, cache: backend.cache))
      }
      programs[node.node] = known[text]
    }
  }

  private static func modules(
    _ graph: Graph, _ emitter: Emitter
  ) throws(BackendError) -> [NodeModule] {
    do {
      return try emitter.nodeModules(of: graph)
    } catch {
      throw .unsupported("\(error)")
    }
  }

  /// Bytes of results alive at once at most; what a program needs inside is not counted.
  var peakSizeInBytes: Int {
    let releases = graph.releases
    var (live, peak) = (0, 0)
    for (index, node) in graph.nodes.enumerated() where programs[index] != nil {
      live += node.results.reduce(0) { $0 + graph[$1].sizeInBytes }
      peak = max(peak, live)
      live -= releases[index].reduce(0) { $0 + graph[$1].sizeInBytes }
    }
    return peak
  }
}

extension Graph {
  /// For each node, the values of other nodes than inputs that nothing needs after it.
  var releases: [[Value]] {
    let lastUses = lastUses
    let kept = Set(outputs.map(\.value))
    var releases = [[Value]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      if case .input = node.op { continue }
      for result in node.results where !kept.contains(result) {
        releases[lastUses[result.index] ?? index].append(result)
      }
    }
    return releases
  }
}

/// Runs a graph node by node.
final class NodeExecution: Execution {
  private let program: XLAProgram
  private let graph: Graph
  private let releases: [[Value]]
  private let launchers: [Launcher]
  private let programs: [Int?]

  init(_ program: XLAProgram, _ nodes: NodePrograms) {
    self.program = program
    graph = nodes.graph
    releases = graph.releases
    launchers = nodes.executables.map(Launcher.init)
    programs = nodes.programs
  }

  func start(_ inputs: [DeviceTensor]) throws(BackendError) -> [DeviceTensor] {
    var values = [DeviceBuffer?](repeating: nil, count: graph.types.count)
    for ((_, value), buffer) in zip(graph.inputs, try program.buffers(inputs)) {
      values[value.index] = buffer
    }
    for (index, node) in graph.nodes.enumerated() {
      guard let program = programs[index] else { continue }
      let operands = node.operands.compactMap { values[$0.index] }
      for (value, result) in zip(node.results, try launchers[program].start(operands)) {
        values[value.index] = result
      }
      for value in releases[index] { values[value.index] = nil }
    }
    return graph.outputs.compactMap { values[$0.value.index].map(DeviceTensor.remote) }
  }
}
