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
    /// Whether the fixed rules gather what convolutions see, or leave them to the library.
    var prefersIm2col: Bool
    /// `nil`: the whole batch.
    var microBatch: Int?
    /// Whether layers run by the algorithms that timing chose, and not by those of fixed rules.
    var timesLayers = false

    init(_ images: Layout, prefersIm2col: Bool, _ microBatch: Int?) {
      self.images = images
      self.prefersIm2col = prefersIm2col
      self.microBatch = microBatch
    }

    func with(microBatch: Int?) -> Choice {
      Choice(images, prefersIm2col: prefersIm2col, microBatch)
    }

    init?(_ description: String) {
      let words = description.split(separator: " ")
      let images = NetworkTuner.layouts.first { "\($0)" == words.first ?? "" }
      guard words.count == 4, let images else { return nil }
      self.init(images, prefersIm2col: words[1] == "im2col", Int(words[2]))
      timesLayers = words[3] == "timed"
    }

    var description: String {
      "\(images) \(prefersIm2col ? "im2col" : "library")"
        + " \(microBatch.map(String.init) ?? "whole") \(timesLayers ? "timed" : "ruled")"
    }
  }

  private static let layouts = [
    Layout.blocked(Vectors.effective == .avx512 ? 16 : 8), .any, .channelsLast,
  ]
  /// More images than that do not run at a time.
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
    let choice: Choice
    if let known = known(graph) {
      choice = known
    } else {
      choice = try timed(graph, parameters)
      cache.setNetwork(key(of: graph), choice.description)
    }
    let part = part(of: graph, choice) ?? graph
    let program = try program(of: graph, part, choice, parameters)
    cache.save()
    return program
  }

  /// The plan by what the cache knows of the network; `nil` where it does not know it.
  func knownPlan(of graph: Graph) throws(BackendError) -> Plan? {
    guard let choice = known(graph), let part = part(of: graph, choice) else { return nil }
    return try backend.plan(
      part, choice.timesLayers ? LayerTuner(backend.tuning, cache, deadline: .now) : nil,
      images: choice.images, prefersIm2col: choice.prefersIm2col
    ).plan
  }

  /// What was found before.
  private func known(_ graph: Graph) -> Choice? {
    cache.network(key(of: graph)).flatMap(Choice.init).flatMap { choice in
      part(of: graph, choice) == nil ? nil : choice
    }
  }

  /// - Parameter deadline: until which layers may be timed that the cache does not know.
  private func program(
    of graph: Graph, _ part: Graph, _ choice: Choice, _ parameters: PreparedParameters,
    until deadline: ContinuousClock.Instant = .now
  ) throws(BackendError) -> OneDNNProgram {
    let tuner = choice.timesLayers ? LayerTuner(backend.tuning, cache, deadline: deadline) : nil
    return try backend.makeProgram(
      graph, part, parameters, tuner, images: choice.images, prefersIm2col: choice.prefersIm2col)
  }

  /// The layout and the micro-batch that take the least time for an image with the algorithms that
  /// the rules choose; then whether those that timing chooses for each layer take less.
  private func timed(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> Choice {
    let start = ContinuousClock.now
    // What is prepared for trials is not worth keeping.
    let trial = PreparedParameters(parameters.store)
    let ruled = try backend.microBatched(graph).batch
    let microBatch = ruled == graph.batch ? nil : ruled
    let layouts =
      Self.layouts.map { Choice($0, prefersIm2col: true, microBatch) }
      + [Choice(.any, prefersIm2col: false, microBatch)]
    var (choice, time) = try fastest(
      of: layouts, graph, trial, until: start + backend.tuning.budget / 2)
    if let batch = graph.batch, backend.microBatch == nil {
      var sizes = [8, 2, 1, 16].filter { batch % $0 == 0 && $0 < batch }.map(Int?.some)
      if batch <= Self.largest { sizes.append(nil) }
      let others = sizes.filter { $0 != microBatch }
      (choice, time) = try fastest(
        of: [choice] + others.map { choice.with(microBatch: $0) }, graph, trial,
        until: start + backend.tuning.budget * 3 / 4)
    }
    let deadline = start + backend.tuning.budget * 7 / 8
    guard let part = part(of: graph, choice) else { return choice }
    // What follows makes two programs and runs each of them at least twice.
    let least = Duration.nanoseconds(8 * time * Double(part.batch ?? 1))
    guard ContinuousClock.now + least < deadline else { return choice }
    let byRules = try program(of: part, part, choice, trial)
    choice.timesLayers = true
    let byTiming = try program(of: part, part, choice, trial, until: deadline)
    // Single layers are timed with other neighbours than they have.
    let times = try [byRules, byTiming].timedInTurn(
      runs: backend.tuning.runs, until: start + backend.tuning.budget)
    choice.timesLayers = times[1] < LayerTuner.margin * times[0]
    return choice
  }

  /// The choice that takes the least time for an image by the fixed rules, and that time in
  /// nanoseconds; the first one that is not hopeless where the others gain too little. Two are tried
  /// even where there is no time.
  private func fastest(
    of choices: [Choice], _ graph: Graph, _ trial: PreparedParameters,
    until deadline: ContinuousClock.Instant
  ) throws(BackendError) -> (Choice, time: Double) {
    var candidates: [(choice: Choice, program: OneDNNProgram)] = []
    // They run in turn, each in an arena of its own.
    var room = HostMemory.availableSizeInBytes.map { $0 / 2 } ?? .max
    for choice in choices where candidates.count < 2 || ContinuousClock.now < deadline {
      guard let part = part(of: graph, choice) else { continue }
      let program = try program(of: part, part, choice, trial)
      room -= program.plannedSizeInBytes.total
      if room < 0 && !candidates.isEmpty { break }
      // Plain loops would take seconds.
      let isSlow = choice.images != .any && program.kernels.contains(where: \.isReference)
      if !isSlow { candidates.append((choice, program)) }
    }
    guard candidates.count > 1 else { return (candidates.first?.choice ?? choices[0], 0) }
    let times = try candidates.map(\.program).timedInTurn(
      runs: backend.tuning.runs, until: deadline)
    var best = 0
    for index in times.indices where times[index] < LayerTuner.margin * times[best] {
      best = index
    }
    return (candidates[best].choice, times[best])
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
