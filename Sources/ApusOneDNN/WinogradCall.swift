import CGomp
import CKernels

/// A convolution by Winograd's kernel, and which of the step's operands it reads.
struct WinogradKernel: Sendable {
  let kernel: Winograd
  let hasBias: Bool
  /// Whether it adds to what its destination holds.
  let accumulates: Bool

  /// Working memory from one thread's to the next one's.
  var scratchStride: Int { (kernel.scratchSize + 63) / 64 * 64 }

  var scratchSizeInBytes: Int { scratchStride * Int(kernel.threads) }

  /// Its name in profiles.
  var implementation: String {
    "winograd\(kernel.tile)x\(kernel.tile):\(kernel.vectors == .avx512 ? "avx512" : "avx2")"
  }
}

/// A call of Winograd's kernel, or of the transform of its filters, with its memory.
final class WinogradCall {
  private struct Arguments {
    var kernel: Winograd
    var hasBias = false
    var accumulates = false
    var scratchStride = 0
    var source: UnsafePointer<Float>?
    var filters: UnsafePointer<Float>?
    var bias: UnsafePointer<Float>?
    var destination: UnsafeMutablePointer<Float>?
    var scratch: UnsafeMutableRawPointer?
  }

  private let arguments = UnsafeMutablePointer<Arguments>.allocate(capacity: 1)
  private let transforms: Bool

  init(_ kernel: WinogradKernel) {
    transforms = false
    arguments.initialize(
      to: Arguments(
        kernel: kernel.kernel, hasBias: kernel.hasBias, accumulates: kernel.accumulates,
        scratchStride: kernel.scratchStride))
  }

  init(transforming kernel: Winograd) {
    transforms = true
    arguments.initialize(to: Arguments(kernel: kernel))
  }

  deinit { arguments.deallocate() }

  /// - Parameters:
  ///   - operands: images, filters and a bias if there is one; or the filters to transform.
  func bind(
    _ operands: [UnsafeMutableRawPointer?], _ results: [UnsafeMutableRawPointer?],
    _ scratchpad: UnsafeMutableRawPointer?
  ) {
    func floats(_ index: Int) -> UnsafePointer<Float>? {
      operands[index].map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }
    }
    arguments.pointee.destination = results[0]?.assumingMemoryBound(to: Float.self)
    arguments.pointee.scratch = scratchpad
    if transforms {
      arguments.pointee.filters = floats(0)
    } else {
      arguments.pointee.source = floats(0)
      arguments.pointee.filters = floats(1)
      if arguments.pointee.hasBias { arguments.pointee.bias = floats(2) }
    }
  }

  func run() {
    let threads = Int(arguments.pointee.kernel.threads)
    ThreadTeam.run(threads: threads, arguments, transforms ? Self.transform : Self.convolve)
  }

  private static let convolve: @convention(c) (UnsafeMutableRawPointer?) -> Void = { data in
    guard let arguments = data?.assumingMemoryBound(to: Arguments.self) else { return }
    var share = omp_get_thread_num()
    let scratch = arguments.pointee.scratch.map {
      $0 + arguments.pointee.scratchStride * Int(share)
    }
    // A team may be smaller than what was asked for.
    while share < arguments.pointee.kernel.threads {
      arguments.pointee.kernel.run(
        source: arguments.pointee.source, filters: arguments.pointee.filters,
        bias: arguments.pointee.bias,
        residual: arguments.pointee.accumulates
          ? UnsafePointer(arguments.pointee.destination) : nil,
        destination: arguments.pointee.destination, scratch: scratch, thread: share)
      share += omp_get_num_threads()
    }
  }

  private static let transform: @convention(c) (UnsafeMutableRawPointer?) -> Void = { data in
    guard let arguments = data?.assumingMemoryBound(to: Arguments.self) else { return }
    arguments.pointee.kernel.transform(
      filters: arguments.pointee.filters, into: arguments.pointee.destination,
      thread: omp_get_thread_num(), of: omp_get_num_threads())
  }
}
