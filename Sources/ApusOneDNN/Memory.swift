import ApusRuntime
import Glibc

/// A block of memory in large pages, touched once by the team so that no run pays for page faults.
struct ArenaMemory: Sendable {
  let storage: HostTensor.Storage

  private static let largePage = 1 << 21

  init(sizeInBytes: Int, threads: Int) throws(BackendError) {
    // Only whole, aligned large pages are ever backed by one.
    let size = sizeInBytes < Self.largePage ? max(sizeInBytes, 1) : sizeInBytes + Self.largePage
    guard
      let mapping = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapping != MAP_FAILED
    else { throw .outOfMemory(sizeInBytes: size) }
    let start =
      sizeInBytes < Self.largePage
      ? mapping : mapping.alignedUp(toMultipleOf: Self.largePage)
    madvise(start, sizeInBytes, MADV_HUGEPAGE)
    let bytes = UnsafeMutableRawBufferPointer(start: start, count: sizeInBytes)
    let address = UInt(bitPattern: mapping)
    storage = HostTensor.Storage(adopting: bytes) { _ in
      munmap(UnsafeMutableRawPointer(bitPattern: address), size)
    }
    Self.touch(bytes, threads: threads)
  }

  private static func touch(_ bytes: UnsafeMutableRawBufferPointer, threads: Int) {
    let pageSize = 4096
    let pages = (bytes.count + pageSize - 1) / pageSize
    let address = UInt(bitPattern: bytes.baseAddress)
    ThreadTeam.run(threads: threads) { thread in
      for page in pages * thread / threads..<pages * (thread + 1) / threads {
        let byte = UnsafeMutableRawPointer(bitPattern: address + UInt(page * pageSize))
        byte?.storeBytes(of: 0, as: UInt8.self)
      }
    }
  }
}

/// Hands out blocks of memory and takes them back for the next request of the same size.
final class CachingAllocator {
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private var all: [UnsafeMutableRawPointer] = []

  func allocate(sizeInBytes: Int) throws(BackendError) -> UnsafeMutableRawPointer {
    if let block = free[sizeInBytes]?.popLast() { return block }
    var block: UnsafeMutableRawPointer?
    guard posix_memalign(&block, 64, max(sizeInBytes, 64)) == 0, let block else {
      throw .outOfMemory(sizeInBytes: sizeInBytes)
    }
    all.append(block)
    return block
  }

  func release(_ block: UnsafeMutableRawPointer, sizeInBytes: Int) {
    free[sizeInBytes, default: []].append(block)
  }

  deinit { for block in all { Glibc.free(block) } }
}
