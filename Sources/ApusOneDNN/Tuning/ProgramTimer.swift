import ApusPlan
import ApusRuntime

extension OneDNNProgram {
  /// Beyond this time, in nanoseconds, a program is not run again.
  private static let enough = 1e8

  /// The least time of a few runs on numbers that mean nothing, in nanoseconds.
  ///
  /// - Parameter limit: a program whose first run takes twice as long is not worth another one.
  func timed(runs: Int, limit: Double) throws(BackendError) -> Double {
    let inputs = inputs.map { input in
      DeviceTensor.host(
        HostTensor(input.type) { bytes in
          let floats = bytes.bindMemory(to: Float.self)
          for index in floats.indices { floats[index] = Float(index % 61 - 30) / 16 }
        })
    }
    let execution = try makeExecution()
    _ = try execution.start(inputs)
    let clock = ContinuousClock()
    var (least, sum) = (Double.infinity, 0.0)
    for _ in 0..<runs where sum < Self.enough && (sum == 0 || least <= 2 * limit) {
      let start = clock.now
      _ = try execution.start(inputs)
      let time = (clock.now - start) / .nanoseconds(1)
      sum += time
      least = min(least, time)
    }
    return least
  }
}
