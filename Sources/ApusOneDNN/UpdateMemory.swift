import ApusPlan
import ApusRuntime
import Synchronization

/// Memory for the parameters and states that a run updates: one block for all of them, which comes
/// back when nothing holds a tensor in it any more. A training takes turns with two blocks, whose
/// pages are touched once.
final class UpdateMemory: Sendable {
  /// Where each of the plan's results lies in a block; `nil` for those that are no updates.
  let offsets: [Int?]
  private let sizeInBytes: Int
  private let threads: Int
  private let free = Mutex<[ArenaMemory]>([])

  private static let alignment = 64

  init(_ plan: Plan, threads: Int) {
    var size = 0
    offsets = plan.results.enumerated().map { index, result in
      guard plan.buffers[result.operand.buffer].place == .result(index) else { return nil }
      let bytes = result.operand.type.sizeInBytes
      defer { size += (bytes + Self.alignment - 1) / Self.alignment * Self.alignment }
      return size
    }
    sizeInBytes = size
    self.threads = threads
  }

  /// A block that nothing else holds; `nil` where there are no updates.
  func block() throws(BackendError) -> HostTensor.Storage? {
    if sizeInBytes == 0 { return nil }
    let memory: ArenaMemory
    if let known = free.withLock({ $0.popLast() }) {
      memory = known
    } else {
      memory = try ArenaMemory(sizeInBytes: sizeInBytes, threads: threads)
    }
    return HostTensor.Storage(adopting: memory.storage.bytes) { [self] _ in
      free.withLock { $0.append(memory) }
    }
  }
}
