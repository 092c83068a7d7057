import ApusPlan
import ApusRuntime

extension OneDNNProgram {
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
    var least = Double.infinity
    for _ in 0..<runs where least == .infinity || least <= 2 * limit {
      let start = clock.now
      _ = try execution.start(inputs)
      least = min(least, (clock.now - start) / .nanoseconds(1))
    }
    return least
  }
}
