import Foundation

/// Floats that end at a page which traps when it is touched. What lies between them and the page
/// that traps before them holds a pattern, so that writes there are found.
///
/// Threads may write to different parts of them.
final class GuardedFloats: @unchecked Sendable {
  let count: Int
  let start: UnsafeMutablePointer<Float>
  private let pages: UnsafeMutableRawPointer
  private let size: Int

  private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
  private static let pattern: UInt8 = 0xA5

  init(_ values: [Float]) {
    count = values.count
    let bytes = count * MemoryLayout<Float>.stride
    let inside = (bytes + Self.pageSize) / Self.pageSize * Self.pageSize
    size = inside + 2 * Self.pageSize
    guard
      let pages = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      pages != MAP_FAILED
    else { fatalError("no memory for a test's buffer of \(size) bytes") }
    self.pages = pages
    memset(pages + Self.pageSize, Int32(Self.pattern), inside)
    start = (pages + Self.pageSize + inside - bytes).assumingMemoryBound(to: Float.self)
    start.update(from: values, count: count)
    mprotect(pages, Self.pageSize, PROT_NONE)
    mprotect(pages + Self.pageSize + inside, Self.pageSize, PROT_NONE)
  }

  convenience init(count: Int, repeating value: Float = .nan) {
    self.init([Float](repeating: value, count: count))
  }

  deinit { munmap(pages, size) }

  var values: [Float] { Array(UnsafeBufferPointer(start: start, count: count)) }

  /// Whether nothing was written before the first float.
  var isIntact: Bool {
    let first = UnsafeRawPointer(pages + Self.pageSize)
    let gap = UnsafeRawBufferPointer(start: first, count: UnsafeRawPointer(start) - first)
    return gap.allSatisfy { $0 == Self.pattern }
  }
}

/// A thread's scratch memory that does not begin at a cache line: there is more of it than was asked
/// for, and what is more must stay untouched.
struct GuardedScratch {
  /// An even number, so that doubles are aligned.
  private static let excess = 14
  private let floats: GuardedFloats

  init(sizeInBytes: Int) { floats = GuardedFloats(count: (sizeInBytes + 3) / 4 + Self.excess) }

  var start: UnsafeMutablePointer<Float> { floats.start }

  var doubles: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(floats.start).assumingMemoryBound(to: Double.self)
  }

  func requireIntact() {
    let isIntact = floats.isIntact && floats.values.suffix(Self.excess).allSatisfy { $0.isNaN }
    precondition(isIntact, "written beside the scratch memory")
  }
}

/// Bytes between two patterns that must stay as they are; the first is at no boundary of vectors.
///
/// Threads may write to different parts of them.
final class GuardedBytes: @unchecked Sendable {
  private static let margin = 70
  private static let pattern: UInt8 = 0xA5
  private let memory: UnsafeMutableBufferPointer<UInt8>

  init(count: Int) {
    memory = .allocate(capacity: count + 2 * Self.margin)
    memory.initialize(repeating: Self.pattern)
  }

  deinit { memory.deallocate() }

  var start: UnsafeMutablePointer<UInt8>? { memory.baseAddress.map { $0 + Self.margin } }

  var values: ArraySlice<UInt8> { Array(memory)[Self.margin..<memory.count - Self.margin] }

  var isIntact: Bool {
    (Array(memory.prefix(Self.margin)) + Array(memory.suffix(Self.margin)))
      .allSatisfy { $0 == Self.pattern }
  }
}
