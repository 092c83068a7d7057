/// Places blocks of memory that live for ranges of time so that none that live together overlap.
///
/// Largest first, each at the lowest offset that is free during its whole life
/// (Pisarchyk and Lee 2020, arXiv 2001.03288, "greedy by size").
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

  package init(_ blocks: [Block]) {
    var offsets = [Int](repeating: 0, count: blocks.count)
    var placed: [Int] = []  // by offset
    var end = 0
    let order = blocks.indices.sorted {
      (blocks[$1].sizeInBytes, $0) < (blocks[$0].sizeInBytes, $1)
    }
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

  private static func aligned(_ offset: Int) -> Int {
    (offset + alignment - 1) / alignment * alignment
  }
}
