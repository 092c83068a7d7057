import ApusIR
import ApusPasses
import ApusPlan
import ApusRuntime
import CKernels

/// Chooses the layout of a network's images and how many run at a time by running it, then the
/// algorithm of each convolution.
struct NetworkTuner {
  /// What is chosen for the network as a whole.
  private struct Choice: LosslessStringConvertible {
    var images: Layout
    /// `nil`: the whole batch.
    var microBatch: Int?
    /// Whether layers run by the algorithms that timing chose, and not by those of fixed rules.
    var timesLayers = false

    init(_ images: Layout, _ microBatch: Int?) {
      self.images = images
      self.microBatch = microBatch
    }

    init?(_ description: String) {
      let words = description.split(separator: " ")
      let images = NetworkTuner.layouts.first { "\($0)" == words.first ?? "" }
      guard words.count == 3, let images else { return nil }
      self.init(images, Int(words[1]))
      timesLayers = words[2] == "timed"
    }

    var description: String {
      "\(images) \(microBatch.map(String.init) ?? "whole") \(timesLayers ? "timed" : "ruled")"
    }
  }

  private static let layouts = [
    Layout.any, .blocked(Vectors.effective == .avx512 ? 16 : 8), .channelsLast,
  ]
  /// More images than that are not timed.
  private static let largest = 16

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
    let key = key(of: graph)
    let choice: Choice
    if let known = cache.network(key).flatMap(Choice.init), part(of: graph, known) != nil {
      choice = known
    } else {
      choice = try timed(graph, parameters)
      cache.setNetwork(key, choice.description)
    }
    let part = part(of: graph, choice) ?? graph
    let program = try program(of: graph, part, choice, parameters)
    cache.save()
    return program
  }

  /// - Parameter deadline: until which layers may be timed that the cache does not know.
  private func program(
    of graph: Graph, _ part: Graph, _ choice: Choice, _ parameters: PreparedParameters,
    until deadline: ContinuousClock.Instant = .now
  ) throws(BackendError) -> OneDNNProgram {
    let tuner = choice.timesLayers ? LayerTuner(backend.tuning, cache, deadline: deadline) : nil
    return try backend.makeProgram(graph, part, parameters, tuner, images: choice.images)
  }

  /// The layout and the micro-batch that take the least time for an image with the algorithms that
  /// the rules choose; then whether those that timing chooses for each layer take less.
  private func timed(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> Choice {
    let start = ContinuousClock.now
    var choice = try timedAsAWhole(graph, parameters, until: start + backend.tuning.budget / 2)
    guard let part = part(of: graph, choice) else { return choice }
    // What is prepared for a trial is not worth keeping.
    let trial = PreparedParameters(parameters.store)
    let ruled = try program(of: part, part, choice, trial)
    choice.timesLayers = true
    let tuned = try program(
      of: part, part, choice, trial, until: start + backend.tuning.budget * 2 / 3)
    let tunedTime = try tuned.timed(runs: backend.tuning.runs, limit: .infinity)
    let ruledTime = try ruled.timed(runs: backend.tuning.runs, limit: tunedTime)
    // Single layers are timed with other neighbours than they have.
    choice.timesLayers = tunedTime < LayerTuner.margin * ruledTime
    return choice
  }

  /// The layout, then the micro-batch that take the least time.
  private func timedAsAWhole(
    _ graph: Graph, _ parameters: PreparedParameters, until deadline: ContinuousClock.Instant
  ) throws(BackendError) -> Choice {
    let ruled = try backend.microBatched(graph).batch
    var best = (choice: Choice(.any, ruled == graph.batch ? nil : ruled), time: Double.infinity)
    func consider(_ choice: Choice) throws(BackendError) {
      guard let part = part(of: graph, choice) else { return }
      let images = Double(part.batch ?? 1)
      // Preparing, a first run and one that counts.
      let expected = Duration.nanoseconds(best.time.isFinite ? Int(3 * best.time * images) : 0)
      guard best.time == .infinity || ContinuousClock.now + expected < deadline else { return }
      let program = try program(
        of: part, part, choice, PreparedParameters(parameters.store))
      // Plain loops would take seconds.
      if choice.images != .any && program.kernels.contains(where: \.isReference) { return }
      let time = try program.timed(runs: backend.tuning.runs, limit: best.time * images) / images
      if time < LayerTuner.margin * best.time { best = (choice, time) }
    }
    for layout in Self.layouts { try consider(Choice(layout, best.choice.microBatch)) }
    guard let batch = graph.batch, backend.microBatch == nil else { return best.choice }
    for size in [8, 2, 1, 16] where batch % size == 0 && size < batch && size != ruled {
      try consider(Choice(best.choice.images, size))
    }
    if batch <= Self.largest { try consider(Choice(best.choice.images, nil)) }
    return best.choice
  }

  /// The graph for as many images as run at a time; `nil` where there is none.
  private func part(of graph: Graph, _ choice: Choice) -> Graph? {
    guard let microBatch = choice.microBatch else { return graph }
    guard let batch = graph.batch, microBatch > 0, batch % microBatch == 0 else { return nil }
    return microBatch == batch ? graph : graph.rebatched(to: microBatch)
  }

  private func key(of graph: Graph) -> String {
    var hasher = SHA256()
    hasher.update(Array("\(graph)".utf8))
    return "\(hasher.hexadecimal().prefix(32)) \(backend.threads) threads"
      + (backend.exact ? " exact" : "")
      + (backend.microBatch.map { " micro-batch \($0)" } ?? "")
  }
}
