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
