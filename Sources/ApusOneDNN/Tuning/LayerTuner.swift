import ApusIR
import ApusPlan
import ApusRuntime

/// Chooses the algorithm of each distinct convolution by timing what the library and Winograd's
/// kernels offer for it in the layouts at hand.
final class LayerTuner {
  /// What comes later must take so much less time: a smaller difference is chance.
  static let margin = 0.97

  private let cache: TuningCache
  private let timer: StepTimer
  private let deadline: ContinuousClock.Instant

  /// - Parameter deadline: from then on the fixed rule decides what the cache does not know.
  init(_ tuning: Tuning, _ cache: TuningCache, deadline: ContinuousClock.Instant) {
    self.cache = cache
    self.deadline = deadline
    timer = StepTimer(runs: tuning.runs)
  }

  /// A resolved convolution by the algorithm that takes the least time.
  func fastest(
    _ convolution: Convolution, _ step: Step, _ library: OneDNNLibrary
  ) throws(BackendError) -> Step {
    let key = key(step, library)
    if let known = cache.layer(key),
      let realized = try realize(Algorithm(known), convolution, step, library)
    {
      return realized
    }
    guard ContinuousClock.now < deadline else { return library.ruled(convolution, step) }
    let fastest = try time(convolution, step, library)
    cache.setLayer(key, fastest.algorithm.description)
    return fastest
  }

  private func time(
    _ convolution: Convolution, _ step: Step, _ library: OneDNNLibrary
  ) throws(BackendError) -> Step {
    let rule = library.ruled(convolution, step)
    var best = (step: rule, time: try timer.time(rule, by: library.kernel(for: rule)))
    func consider(_ candidates: [Step]) throws(BackendError) {
      for candidate in candidates {
        let time = try timer.time(candidate, by: library.kernel(for: candidate), limit: best.time)
        if time < Self.margin * best.time { best = (candidate, time) }
      }
    }
    func tiled(_ tile: Int, chunk: Int = 0) -> Step? {
      library.winograd(.winograd(tile: tile, chunk: chunk), convolution, step)
    }
    try consider([4, 2].compactMap { tiled($0) })
    try consider(
      [
        library.im2col(convolution, step), library.pointwise(convolution, step),
        library.depthwise(convolution, step), library.grouped(convolution, step),
      ].compactMap { $0 })
    try consider(library.implementations(of: convolution, step))
    if case .winograd(let tile, _) = best.step.algorithm {
      try consider([14, 28, 56].compactMap { tiled(tile, chunk: $0) })
    }
    return best.step
  }

  private func realize(
    _ algorithm: Algorithm, _ convolution: Convolution, _ step: Step, _ library: OneDNNLibrary
  ) throws(BackendError) -> Step? {
    switch algorithm {
    case .library: step
    case .implementation(let name):
      try library.implementation(name, of: convolution, step)
    case .winograd: library.winograd(algorithm, convolution, step)
    case .pointwise: library.pointwise(convolution, step)
    case .depthwise: library.depthwise(convolution, step)
    case .grouped: library.grouped(convolution, step)
    case .im2col: library.im2col(convolution, step)
    }
  }

  /// All that the time depends on; two layers with equal keys are one to the tuner.
  private func key(_ step: Step, _ library: OneDNNLibrary) -> String {
    guard case .op(let op) = step.kind else { return "" }
    let tensors = (step.operands + step.results).enumerated().map { index, operand in
      // The filter's layout follows from the algorithm.
      index == 1 ? "\(operand.type.shape)" : "\(operand.type.shape)\(operand.layout)"
    }
    return "\(step.name){\(op.attributes)} \(tensors.joined(separator: " "))"
      + " \(library.threads) threads" + (library.usesWinograd ? "" : " exact")
  }
}
