/// Places blocks of memory that live for ranges of time so that none that live together overlap.
///
/// One after the other, each at the lowest offset that is free during its whole life: the largest
/// first, or those first that live when most memory is in use, whichever takes less (Pisarchyk and
/// Lee 2020, arXiv 2001.03288, "greedy by size" and "greedy by breadth"). Where that is more than is
/// in use at once, the block at the end is placed before all others, a few times over.
package struct Arena {
  package struct Block: Hashable {
    package var sizeInBytes: Int
    /// The first and last step during which the block is in use.
    package var life: ClosedRange<Int>

    package init(sizeInBytes: Int, life: ClosedRange<Int>) {
      self.sizeInBytes = sizeInBytes
      self.life = life
    }
  }

  /// Offsets are multiples of a cache line.
  package static let alignment = 64

  package let offsets: [Int]
  package let sizeInBytes: Int

  private static let attempts = 16

  package init(_ blocks: [Block]) {
    let living = Self.living(blocks)
    let least = living.map { Self.sizeInBytes(of: $0, blocks) }.max() ?? 0
    var order = Self.bySize(Array(blocks.indices), blocks)
    var best = Arena(blocks, in: order)
    let byBreadth = Self.byBreadth(living, blocks)
    let other = Arena(blocks, in: byBreadth)
    if other.sizeInBytes < best.sizeInBytes { (best, order) = (other, byBreadth) }
    var last = best
    for _ in 0..<Self.attempts where best.sizeInBytes > least {
      let top = order.firstIndex { index in
        Self.aligned(last.offsets[index] + blocks[index].sizeInBytes) == last.sizeInBytes
      }
      order.insert(order.remove(at: top ?? 0), at: 0)
      last = Arena(blocks, in: order)
      if last.sizeInBytes < best.sizeInBytes { best = last }
    }
    self = best
  }

  /// Places blocks in an order.
  private init(_ blocks: [Block], in order: [Int]) {
    var offsets = [Int](repeating: 0, count: blocks.count)
    var placed: [Int] = []  // by offset
    var end = 0
    for index in order {
      let block = blocks[index]
      var offset = 0
      for other in placed where blocks[other].life.overlaps(block.life) {
        if offsets[other] >= offset + block.sizeInBytes { break }
        offset = max(offset, Self.aligned(offsets[other] + blocks[other].sizeInBytes))
      }
      offsets[index] = offset
      let position = placed.firstIndex { offsets[$0] > offset } ?? placed.endIndex
      placed.insert(index, at: position)
      end = max(end, Self.aligned(offset + block.sizeInBytes))
    }
    self.offsets = offsets
    sizeInBytes = end
  }

  private static func bySize(_ indices: [Int], _ blocks: [Block]) -> [Int] {
    indices.sorted { (blocks[$1].sizeInBytes, $0) < (blocks[$0].sizeInBytes, $1) }
  }

  /// The blocks that are in use during each step.
  private static func living(_ blocks: [Block]) -> [[Int]] {
    let steps = (blocks.map(\.life.upperBound).max() ?? -1) + 1
    var living = [[Int]](repeating: [], count: steps)
    for (index, block) in blocks.enumerated() {
      for step in block.life { living[step].append(index) }
    }
    return living
  }

  private static func sizeInBytes(of indices: [Int], _ blocks: [Block]) -> Int {
    indices.reduce(0) { $0 + aligned(blocks[$1].sizeInBytes) }
  }

  private static func byBreadth(_ living: [[Int]], _ blocks: [Block]) -> [Int] {
    let breadths = living.map { sizeInBytes(of: $0, blocks) }
    var order: [Int] = []
    var isOrdered = [Bool](repeating: false, count: blocks.count)
    for step in breadths.indices.sorted(by: { (breadths[$1], $0) < (breadths[$0], $1) }) {
      for index in bySize(living[step].filter { !isOrdered[$0] }, blocks) {
        isOrdered[index] = true
        order.append(index)
      }
    }
    return order
  }

  private static func aligned(_ offset: Int) -> Int {
    (offset + alignment - 1) / alignment * alignment
  }
}
