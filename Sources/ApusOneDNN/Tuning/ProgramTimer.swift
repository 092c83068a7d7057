import ApusIR
import ApusPlan
import ApusRuntime

extension [OneDNNProgram] {
  /// A program whose first run takes so many times as long as another's is not run again.
  private static var hopeless: Double { 2 }
  /// Where one run of each takes no longer, in nanoseconds, there are so many even beyond the
  /// deadline: one by itself may be disturbed.
  private static var brief: Double { 1e8 }
  private static var roundsOfBrief: Int { 4 }

  /// The least time for an image of a few runs of each program, in nanoseconds, on numbers that mean
  /// nothing.
  ///
  /// They run in turn, so that a machine whose speed changes favours none of them.
  ///
  /// - Parameters:
  ///   - runs: of each at most, besides a first one that does not count.
  ///   - deadline: from then on none is run again; each has run twice before.
  func timedInTurn(
    runs: Int, until deadline: ContinuousClock.Instant
  ) throws(BackendError) -> [Double] {
    let inputs = map(\.meaninglessInputs)
    let images = map { Double($0.inputs.first?.type.shape.first ?? 1) }
    var executions: [any RecordedExecution] = []
    for program in self { executions.append(try program.makeRecordedExecution()) }
    let clock = ContinuousClock()
    func run(_ index: Int) throws(BackendError) -> Double {
      let start = clock.now
      _ = try executions[index].start(inputs[index])
      return (clock.now - start) / .nanoseconds(1) / images[index]
    }
    for index in indices { _ = try run(index) }
    var least: [Double] = []
    for index in indices { least.append(try run(index)) }
    guard let best = least.min() else { return [] }
    let hopeful = indices.filter { least[$0] <= Self.hopeless * best }
    let isBrief = hopeful.reduce(0) { $0 + least[$1] * images[$1] } < Self.brief
    for round in 1..<Swift.max(runs, 2) where hopeful.count > 1 {
      guard clock.now < deadline || isBrief && round < Self.roundsOfBrief else { break }
      for index in hopeful { least[index] = Swift.min(least[index], try run(index)) }
    }
    return least
  }
}

extension OneDNNProgram {
  fileprivate var meaninglessInputs: [DeviceTensor] {
    inputs.map { input in
      DeviceTensor.host(
        HostTensor(input.type) { bytes in
          let floats = bytes.bindMemory(to: Float.self)
          for index in floats.indices { floats[index] = Float(index % 61 - 30) / 16 }
        })
    }
  }
}
