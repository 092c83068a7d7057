import ApusIR
import ApusPasses
import ApusPlan
import ApusRuntime

/// Runs graphs on the CPU with oneDNN.
public struct OneDNNBackend: Backend {
  public typealias Mode = Planner.Mode

  public let mode: Mode
  /// How many threads run each kernel.
  public let threads: Int

  public var name: String { "cpu" }

  /// - Precondition: `threads` is at least 1.
  public init(_ mode: Mode = .compiled, threads: Int = ThreadTeam.defaultSize) {
    precondition(threads >= 1)
    self.mode = mode
    self.threads = threads
  }

  public func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program {
    let (library, plan) = try plan(graph)
    var kernels: [Kernel] = []
    for step in plan.steps { kernels.append(try library.kernel(for: step)) }
    let statics = try Preparation(plan, library, parameters).run()
    return OneDNNProgram(plan, kernels, statics, mode, threads: threads)
  }

  /// The plan of a graph, as text for people and tests.
  public func planDescription(of graph: Graph) throws(BackendError) -> String {
    try plan(graph).plan.description
  }

  private func plan(
    _ graph: Graph
  ) throws(BackendError) -> (library: OneDNNLibrary, plan: Plan) {
    let library = OneDNNLibrary(threads: threads)
    do {
      let rewritten = mode == .compiled ? try Passes.inference.run(graph) : graph
      return (library, try Planner(mode, library).plan(rewritten))
    } catch {
      throw .unsupported("\(error)")
    }
  }
}
