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
  /// Whether convolutions are never computed in Winograd's tiles, which round more.
  public let exact: Bool
  /// How much of compiling is spent on timing alternatives; needs a cache.
  public let tuning: Tuning
  /// Whether the graph is checked after every pass.
  public let verifies: Bool
  private let tuningCache: TuningCache?
  /// The layout of images in compiled plans where nothing is timed; `.any`: by the fixed rules.
  package var images = Layout.any

  public var name: String { "cpu" }

  /// - Parameters:
  ///   - tuning: nothing is timed without a cache.
  ///   - tuningCache: where it is kept what was found fastest.
  /// - Precondition: `threads` is at least 1.
  public init(
    _ mode: Mode = .compiled, threads: Int = ThreadTeam.defaultSize, exact: Bool = false,
    tuning: Tuning = .off, tuningCache: TuningCache? = nil, verifies: Bool = false
  ) {
    precondition(threads >= 1)
    self.mode = mode
    self.threads = threads
    self.exact = exact
    self.tuning = mode == .compiled && tuningCache != nil ? tuning : .off
    self.tuningCache = tuningCache
    self.verifies = verifies
  }

  public func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program {
    try makeProgram(graph, parameters)
  }

  func makeProgram(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> OneDNNProgram {
    let graph = try rewritten(graph)
    guard let tuningCache, tuning != .off else {
      return try makeProgram(graph, parameters, nil, images: images)
    }
    return try NetworkTuner(self, tuningCache).fastest(graph, parameters)
  }

  /// - Parameters:
  ///   - graph: after the passes.
  ///   - images: their layout between convolutions.
  func makeProgram(
    _ graph: Graph, _ parameters: PreparedParameters, _ tuner: LayerTuner?, images: Layout
  ) throws(BackendError) -> OneDNNProgram {
    let (library, plan) = try plan(graph, tuner, images: images)
    var kernels: [Kernel] = []
    for step in plan.steps { kernels.append(try library.kernel(for: step)) }
    let statics = try Preparation(plan, library, parameters, threads: threads).run()
    return OneDNNProgram(plan, kernels, statics, mode, threads: threads)
  }

  /// The plan of a graph by the fixed rules, as text for people and tests.
  public func planDescription(of graph: Graph) throws(BackendError) -> String {
    try plan(rewritten(graph), nil, images: images).plan.description
  }

  private func rewritten(_ graph: Graph) throws(BackendError) -> Graph {
    guard mode == .compiled else { return graph }
    do {
      return try (verifies ? Passes.inference.verified : .inference).run(graph)
    } catch {
      throw .unsupported("\(error)")
    }
  }

  private func plan(
    _ graph: Graph, _ tuner: LayerTuner?, images: Layout
  ) throws(BackendError) -> (library: OneDNNLibrary, plan: Plan) {
    let library = OneDNNLibrary(
      threads: threads, usesWinograd: mode == .compiled && !exact, tuner: tuner)
    do {
      return (library, try Planner(mode, library, images: images).plan(graph))
    } catch {
      throw .unsupported("\(error)")
    }
  }
}

extension OneDNNBackend {
  /// Whether oneDNN runs the op on operands of these types; the reference runs it otherwise.
  public static func hasKernel(for op: Op, on operands: [TensorType]) -> Bool {
    guard operands.allSatisfy({ $0.dtype == .float32 && $0.rank <= 5 }) else { return false }
    switch op {
    case .input, .constant, .iota, .compare, .select, .convert, .reshape, .broadcast, .slice, .pad,
      .barrier, .argMax:
      return false
    case .unary(let unary): return unary.algorithm != nil
    case .binary(let binary): return binary.algorithm != nil
    case .reduce(let reduce):
      // The library refuses a reduction that reduces nothing.
      return reduce.axes.contains { operands[0].shape[$0] > 1 }
    case .pool(let pool): return pool.hasKernel(on: operands[0])
    case .transpose(let transpose): return !transpose.permutation.isEmpty
    case .activation, .concatenate, .dot, .convolution, .batchNorm,
      .localResponseNorm:
      return true
    }
  }
}
