import ApusPlan
import ApusRuntime
import CKernels

/// Times single steps, in memory that it keeps between them.
final class StepTimer {
  private let runs: Int
  private var memory = HostTensor.Storage(sizeInBytes: 0)

  /// Beyond this time a step is not run again.
  private static let enough = Duration.milliseconds(5)

  /// - Parameter runs: of each step at most, besides a first one that does not count.
  init(runs: Int) { self.runs = runs }

  /// The least time of a convolution in nanoseconds.
  ///
  /// The filters come from memory each time, as in a network that is larger than the caches; the
  /// images may lie there.
  ///
  /// - Parameter limit: a step whose first run takes twice as long is not worth another one.
  func time(
    _ step: Step, by kernel: Kernel, limit: Double = .infinity
  ) throws(BackendError) -> Double {
    let kernel = try BoundKernel(kernel, step)
    var offsets: [Int: Int] = [:]
    var size = 0
    for operand in step.operands + step.results where offsets[operand.buffer] == nil {
      offsets[operand.buffer] = size
      size += Self.aligned(operand.sizeInBytes)
    }
    grow(to: size + kernel.scratchpadSizeInBytes + 64)
    guard let base = memory.bytes.baseAddress?.alignedUp(toMultipleOf: 64) else { return 0 }
    try kernel.bind(scratchpad: base + size) { buffer in offsets[buffer].map { base + $0 } }
    let filters = step.operands[1]
    let stream = try Stream()
    try kernel.run(stream.pointer)
    try stream.wait()
    let clock = ContinuousClock()
    var (least, sum) = (Duration.seconds(3600), Duration.zero)
    for _ in 0..<runs where sum < Self.enough && least / .nanoseconds(1) <= 2 * limit {
      flushCacheLines(of: base + (offsets[filters.buffer] ?? 0), count: filters.sizeInBytes)
      let start = clock.now
      try kernel.run(stream.pointer)
      try stream.wait()
      let time = clock.now - start
      sum += time
      least = min(least, time)
    }
    return least / .nanoseconds(1)
  }

  /// Contents do not matter, but denormal numbers would: small numbers of both signs.
  private func grow(to size: Int) {
    guard memory.bytes.count < size else { return }
    memory = HostTensor.Storage(sizeInBytes: size)
    let floats = memory.bytes.bindMemory(to: Float.self)
    for index in floats.indices { floats[index] = Float(index % 61 - 30) / 32 }
  }

  private static func aligned(_ size: Int) -> Int { (size + 63) / 64 * 64 }
}
