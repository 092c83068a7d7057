import ApusIR
import ApusPasses
import ApusPlan
import ApusRuntime
import CKernels

/// Runs graphs on the CPU with oneDNN.
public struct OneDNNBackend: Backend {
  public typealias Mode = Planner.Mode

  public let mode: Mode
  /// How many threads run each kernel.
  public let threads: Int
  /// Whether convolutions are never computed in Winograd's tiles, which round more.
  public let exact: Bool
  /// How many images compiled programs run at a time; `nil` for what takes the least time, or
  /// ``MicroBatchRule``'s choice where nothing is timed.
  public let microBatch: Int?
  /// How much of compiling is spent on timing alternatives; needs a cache.
  public let tuning: Tuning
  /// Whether the graph is checked after every pass.
  public let verifies: Bool
  private let tuningCache: TuningCache?
  /// The layout of images in compiled plans where nothing is timed; `.any`: by the fixed rules.
  package var images = Layout.any

  public var name: String { "cpu" }

  /// - Parameters:
  ///   - microBatch: must divide the batches of the graphs to be compiled, whose results must depend
  ///     on one image each.
  ///   - tuning: nothing is timed without a cache.
  ///   - tuningCache: where it is kept what was found fastest.
  /// - Precondition: `threads` is at least 1.
  public init(
    _ mode: Mode = .compiled, threads: Int = ThreadTeam.defaultSize, exact: Bool = false,
    microBatch: Int? = nil, tuning: Tuning = .off, tuningCache: TuningCache? = nil,
    verifies: Bool = false
  ) {
    precondition(threads >= 1)
    self.microBatch = microBatch
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
    guard let tuningCache, tuning != .off else {
      return try makeProgram(graph, microBatched(graph), parameters, nil, images: images)
    }
    return try NetworkTuner(self, tuningCache).fastest(graph, parameters)
  }

  /// - Parameters:
  ///   - part: the graph for as many images as run at a time.
  ///   - images: their layout between convolutions.
  ///   - prefersIm2col: whether the fixed rules gather what convolutions see.
  func makeProgram(
    _ graph: Graph, _ part: Graph, _ parameters: PreparedParameters, _ tuner: LayerTuner?,
    images: Layout, prefersIm2col: Bool = false
  ) throws(BackendError) -> OneDNNProgram {
    let (library, plan) = try plan(part, tuner, images: images, prefersIm2col: prefersIm2col)
    // Constants grow with the batch too: labels are compared with every class.
    try HostMemory.require(plan.memory.prepared)
    var kernels: [Kernel] = []
    for step in plan.steps { kernels.append(try library.kernel(for: step)) }
    let statics = try Preparation(plan, library, parameters, threads: threads).run()
    var microBatches = MicroBatches(whole: plan)
    if let batch = graph.batch, let images = part.batch, images != batch {
      microBatches = MicroBatches(batch / images, of: graph)
    }
    return OneDNNProgram(plan, kernels, statics, mode, microBatches, threads: threads)
  }

  /// The plan of a graph by the fixed rules, for as many images as run at a time, as text for people
  /// and tests.
  public func planDescription(of graph: Graph) throws(BackendError) -> String {
    try plan(microBatched(graph), nil, images: images).plan.description
  }

  /// The memory of a graph's program, which is neither made nor timed: by what the cache knows of
  /// the network, else by the fixed rules.
  public func memory(of graph: Graph) throws(BackendError) -> PlanMemory {
    var memory = try knownPlan(of: graph).memory
    // Of all micro-batches together.
    memory.arguments = graph.inputs.reduce(0) { sum, entry in
      entry.input.path == nil ? sum + entry.input.type.sizeInBytes : sum
    }
    memory.results = graph.outputs.reduce(0) { sum, output in
      if case .result = output.role { sum + graph[output.value].sizeInBytes } else { sum }
    }
    return memory
  }

  private func knownPlan(of graph: Graph) throws(BackendError) -> Plan {
    if let tuningCache, tuning != .off,
      let known = try NetworkTuner(self, tuningCache).knownPlan(of: graph)
    {
      return known
    }
    return try plan(microBatched(graph), nil, images: images).plan
  }

  /// The plan of a graph as it is.
  func plan(
    _ graph: Graph, _ tuner: LayerTuner?, images: Layout, prefersIm2col: Bool = false
  ) throws(BackendError) -> (library: OneDNNLibrary, plan: Plan) {
    let library = OneDNNLibrary(
      threads: threads, usesOwnKernels: mode == .compiled, usesWinograd: !exact,
      prefersIm2col: prefersIm2col, trains: graph.hasFilterGradients, tuner: tuner)
    do {
      let passes = verifies ? Passes.inference.verified : .inference
      let rewritten = mode == .compiled ? try passes.run(graph) : graph
      var images = images
      // Kernels of gradients are fastest in blocks: 10 to 30 % of a step.
      if images == .any, library.trains, let vectors = Vectors.effective {
        images = .blocked(Int(vectors.rawValue))
      }
      return (library, try Planner(mode, library, images: images).plan(rewritten))
    } catch {
      throw .unsupported("\(error)")
    }
  }
}

extension OneDNNBackend {
  /// Whether oneDNN or a kernel of CKernels runs the op on operands of these types; the reference
  /// runs it otherwise.
  public static func hasKernel(for op: Op, on operands: [TensorType]) -> Bool {
    switch op {
    case .compare: return op.isElementwise(on: operands, making: .bool)
    case .select: return op.isElementwise(on: operands, making: operands[1].dtype)
    case .convert(let dtype): return op.isElementwise(on: operands, making: dtype)
    case _ where operands.contains { $0.dtype != .float32 || $0.rank > 5 }: return false
    case .input, .constant, .iota, .reshape, .slice, .pad, .barrier, .argMax: return false
    case .unary(let unary): return unary.algorithm != nil
    case .binary(let binary): return binary.algorithm != nil
    case .reduce(let reduce):
      // The library refuses a reduction that reduces nothing.
      return reduce.axes.contains { operands[0].shape[$0] > 1 }
    case .pool(let pool): return pool.hasKernel(on: operands[0])
    case .broadcast(let broadcast): return broadcast.isOverPixels(of: operands[0])
    case .transpose(let transpose): return !transpose.permutation.isEmpty
    case .poolGradient(let gradient): return gradient.hasKernel(on: operands)
    case .activationGradient(let activation): return activation.gradientAlgorithm != nil
    case .activatedBatchNorm, .activatedBatchNormGradient:
      return [2, 4].contains(operands[0].rank) && Vectors.effective != nil
    case .activation, .concatenate, .dot, .convolution, .convolutionInputGradient,
      .convolutionFilterGradient, .batchNorm, .batchNormTraining, .batchNormGradient,
      .localResponseNorm, .localResponseNormGradient:
      return true
    }
  }
}

extension Graph {
  /// Whether it trains filters of convolutions.
  fileprivate var hasFilterGradients: Bool {
    nodes.contains { if case .convolutionFilterGradient = $0.op { true } else { false } }
  }
}
