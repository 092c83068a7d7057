import ApusRuntime
import CKernels
import Glibc

/// What the processor can do at most, measured: bounds for the speed of any program.
public struct MachinePeaks: Codable, Hashable, Sendable {
  /// How many threads worked together.
  public let threads: Int
  /// Multiplications and additions of `float32` per second, two for a fused one.
  public let flopsPerSecond: Double
  /// Reading memory, beyond the caches.
  public let readBytesPerSecond: Double
  /// Copying memory, beyond the caches: bytes read and bytes written together.
  public let copyBytesPerSecond: Double
  /// Reading what lies in the threads' own second-level caches.
  public let cacheBytesPerSecond: Double
  /// The size of these caches together.
  public let cacheSizeInBytes: Int

  /// The faster of reading and copying memory.
  public var memoryBytesPerSecond: Double { max(readBytesPerSecond, copyBytesPerSecond) }

  /// The bandwidth that bounds work on so many bytes: the caches' where they could all lie there.
  public func bytesPerSecond(for sizeInBytes: Int) -> Double {
    sizeInBytes <= cacheSizeInBytes
      ? max(cacheBytesPerSecond, memoryBytesPerSecond) : memoryBytesPerSecond
  }

  /// The least seconds that so much arithmetic on so many bytes can take (the roofline of Williams,
  /// Waterman and Patterson 2009).
  public func leastSeconds(flops: Double, sizeInBytes: Int) -> Double {
    max(flops / flopsPerSecond, Double(sizeInBytes) / bytesPerSecond(for: sizeInBytes))
  }

  /// Measures for about a third of a second; each peak is the best of a few short trials.
  ///
  /// - Precondition: `threads` is at least 1.
  /// - Throws: where there is no memory for the trials.
  public static func measure(threads: Int) throws(BackendError) -> MachinePeaks {
    precondition(threads >= 1)
    let trial = try PeakTrial(threads: threads)
    return MachinePeaks(
      threads: threads, flopsPerSecond: trial.arithmetic(), readBytesPerSecond: trial.reading(),
      copyBytesPerSecond: trial.copying(), cacheBytesPerSecond: trial.readingCaches(),
      cacheSizeInBytes: threads * trial.cacheSize)
  }
}

/// The trials, on memory that no other work of the process touches.
private struct PeakTrial {
  private let threads: Int
  private let memory: ArenaMemory
  private let floats: UnsafeMutablePointer<Float>
  private let vectors = Vectors.widest
  /// One thread's second-level cache in bytes.
  let cacheSize: Int

  /// More than the last cache that a few cores share; also where a host with many of them tells
  /// the sum of them all.
  private static let sizeInBytes = 128 << 20

  init(threads: Int) throws(BackendError) {
    self.threads = threads
    let known = sysconf(Int32(_SC_LEVEL2_CACHE_SIZE))
    cacheSize = min(max(known, 256 << 10), Self.sizeInBytes / threads)
    try HostMemory.require(Self.sizeInBytes)
    memory = try ArenaMemory(sizeInBytes: Self.sizeInBytes, threads: threads)
    guard let start = memory.storage.bytes.baseAddress else {
      throw .outOfMemory(sizeInBytes: Self.sizeInBytes)
    }
    floats = start.assumingMemoryBound(to: Float.self)
  }

  func arithmetic() -> Double {
    let rounds: Int64 = 500_000
    let operations = Int64(threads) * rounds * vectors.peakRoundOperations
    return best(amount: Double(operations), trials: 8) { _ in
      vectors.peakMultiplyAdd(rounds: rounds)
    }
  }

  func reading() -> Double {
    best(amount: Double(Self.sizeInBytes), trials: 3) { thread in
      let part = share(of: Self.sizeInBytes / MemoryLayout<Float>.size, thread)
      return vectors.peakRead(from: floats + part.lowerBound, count: part.count)
    }
  }

  /// From one half to the other.
  func copying() -> Double {
    let half = Self.sizeInBytes / MemoryLayout<Float>.size / 2
    return best(amount: Double(Self.sizeInBytes), trials: 3) { thread in
      let part = share(of: half, thread)
      let target = floats + half + part.lowerBound
      target.update(from: floats + part.lowerBound, count: part.count)
      return target[0]
    }
  }

  /// Each thread reads half of its cache's size again and again.
  func readingCaches() -> Double {
    let (count, passes) = (cacheSize / 2 / MemoryLayout<Float>.size, 400)
    let size = count * MemoryLayout<Float>.size
    return best(amount: Double(threads * size * passes), trials: 4) { thread in
      (0..<passes).reduce(Float(0)) { sum, _ in
        sum + vectors.peakRead(from: floats + thread * count, count: count)
      }
    }
  }

  private func share(of count: Int, _ thread: Int) -> Range<Int> {
    count * thread / threads..<count * (thread + 1) / threads
  }

  /// Amount per second of the fastest trial.
  private func best(amount: Double, trials: Int, _ work: (_ thread: Int) -> Float) -> Double {
    // What the loops return is kept, or a compiler could leave them out.
    let sums = UnsafeMutablePointer<Float>.allocate(capacity: threads)
    sums.initialize(repeating: 0, count: threads)
    defer { sums.deallocate() }
    var best = Int64.max
    for _ in 0..<trials {
      let start = StepRecorder.now
      ThreadTeam.run(threads: threads) { sums[$0] += work($0) }
      best = min(best, max(StepRecorder.now - start, 1))
    }
    return amount / (Double(best) * 1e-9)
  }
}
