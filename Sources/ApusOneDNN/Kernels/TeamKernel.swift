import CGomp

/// The memory of one call of a kernel.
struct KernelMemory {
  var operands: [UnsafeMutableRawPointer?] = []
  var results: [UnsafeMutableRawPointer?] = []
  var scratch: UnsafeMutableRawPointer?

  func floats(_ operand: Int) -> UnsafePointer<Float>? {
    operands[operand].map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }
  }

  func result(_ index: Int = 0) -> UnsafeMutablePointer<Float>? {
    results[index]?.assumingMemoryBound(to: Float.self)
  }
}

/// A kernel of CKernels, of which each thread of a team runs its share.
protocol TeamKernel: Sendable {
  /// Its name in profiles.
  var implementation: String { get }
  var threads: Int { get }
  /// Working memory of all threads together.
  var scratchSizeInBytes: Int { get }
  /// A phase starts when all shares of the one before are done.
  var phases: Int { get }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32)
}

extension TeamKernel {
  var scratchSizeInBytes: Int { 0 }
  var phases: Int { 1 }
}

/// A convolution by CKernels whose operands are images, packed filters and perhaps a bias, and whose
/// threads have working memory of their own.
protocol ConvolutionKernel: TeamKernel {
  var hasBias: Bool { get }
  /// Whether it adds to what its destination holds.
  var accumulates: Bool { get }
  /// Working memory of one thread.
  var threadScratchSize: Int { get }
}

extension ConvolutionKernel {
  /// From one thread's working memory to the next one's, whole cache lines.
  private var scratchStride: Int { (threadScratchSize + 63) / 64 * 64 }

  var scratchSizeInBytes: Int { threads * scratchStride }

  func bias(_ memory: KernelMemory) -> UnsafePointer<Float>? { hasBias ? memory.floats(2) : nil }

  func residual(_ memory: KernelMemory) -> UnsafePointer<Float>? {
    accumulates ? UnsafePointer(memory.result()) : nil
  }

  func scratch(_ memory: KernelMemory, _ thread: Int32) -> UnsafeMutableRawPointer? {
    memory.scratch.map { $0 + Int(thread) * scratchStride }
  }
}

/// A kernel of CKernels with the memory of one execution.
final class TeamCall {
  let kernel: any TeamKernel
  private var memory = KernelMemory()
  private var phase = 0

  init(_ kernel: any TeamKernel) { self.kernel = kernel }

  func bind(
    _ operands: [UnsafeMutableRawPointer?], _ results: [UnsafeMutableRawPointer?],
    _ scratch: UnsafeMutableRawPointer?
  ) { memory = KernelMemory(operands: operands, results: results, scratch: scratch) }

  func run() {
    let context = Unmanaged.passUnretained(self).toOpaque()
    for phase in 0..<kernel.phases {
      self.phase = phase
      ThreadTeam.run(threads: kernel.threads, context, Self.share)
    }
  }

  private static let share: @convention(c) (UnsafeMutableRawPointer?) -> Void = { context in
    guard let context else { return }
    let call = Unmanaged<TeamCall>.fromOpaque(context).takeUnretainedValue()
    var thread = omp_get_thread_num()
    // A team may be smaller than what was asked for.
    while thread < call.kernel.threads {
      call.kernel.run(call.memory, phase: call.phase, thread: thread)
      thread += omp_get_num_threads()
    }
  }
}
