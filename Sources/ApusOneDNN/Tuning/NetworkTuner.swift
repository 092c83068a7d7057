import ApusIR
import ApusPlan
import ApusRuntime
import CKernels

/// Chooses the layout of a network's images by running it in each, then the algorithm of each
/// convolution in that layout.
struct NetworkTuner {
  private let backend: OneDNNBackend
  private let cache: TuningCache

  init(_ backend: OneDNNBackend, _ cache: TuningCache) {
    self.backend = backend
    self.cache = cache
  }

  /// The program that takes the least time, as far as the budget allows to find out.
  func fastest(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> OneDNNProgram {
    let deadline = ContinuousClock.now + backend.tuning.budget
    let key = key(of: graph)
    let layouts = [Layout.any, .blocked(Vectors.effective == .avx512 ? 16 : 8), .channelsLast]
    var images = cache.network(key).flatMap { known in layouts.first { "\($0)" == known } }
    if images == nil { images = try timed(layouts, graph, parameters, key, deadline) }
    let tuner = LayerTuner(backend.tuning, cache, deadline: deadline)
    let program = try backend.makeProgram(graph, parameters, tuner, images: images ?? .any)
    cache.save()
    return program
  }

  /// The layout in which a run takes the least time, with the convolutions that the rules choose.
  private func timed(
    _ layouts: [Layout], _ graph: Graph, _ parameters: PreparedParameters, _ key: String,
    _ deadline: ContinuousClock.Instant
  ) throws(BackendError) -> Layout {
    var best = (layout: Layout.any, time: Double.infinity)
    for layout in layouts where ContinuousClock.now < deadline {
      // What is prepared for a trial is not worth keeping.
      let trial = PreparedParameters(parameters.store)
      let program = try backend.makeProgram(graph, trial, nil, images: layout)
      // Plain loops would take seconds.
      if layout != .any && program.kernels.contains(where: \.isReference) { continue }
      let time = try program.timed(runs: backend.tuning.runs, limit: best.time)
      if time < LayerTuner.margin * best.time { best = (layout, time) }
    }
    cache.setNetwork(key, "\(best.layout)")
    return best.layout
  }

  private func key(of graph: Graph) -> String {
    var hasher = SHA256()
    hasher.update(Array("\(graph)".utf8))
    return "\(hasher.hexadecimal().prefix(32)) \(backend.threads) threads"
      + (backend.exact ? " exact" : "")
  }
}
