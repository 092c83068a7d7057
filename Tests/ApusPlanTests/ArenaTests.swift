import ApusIR
import ApusPlan
import ApusTestSupport
import Testing

@Suite("The arena")
struct ArenaTests {
  @Test("places blocks that live together apart, within the sum and not below the peak")
  func random() {
    for _ in 0..<300 {
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SplitMix64(seed: seed)
      let blocks = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        let start = Int.random(in: 0...30, using: &generator)
        return Arena.Block(
          sizeInBytes: Int.random(in: 0...5000, using: &generator),
          life: start...start + Int.random(in: 0...12, using: &generator))
      }
      check(blocks, "seed \(seed)")
    }
  }

  @Test("reuses the place of what is dead")
  func reuse() {
    let arena = Arena([
      Arena.Block(sizeInBytes: 640, life: 0...1), Arena.Block(sizeInBytes: 100, life: 1...2),
      Arena.Block(sizeInBytes: 600, life: 2...3),
    ])
    #expect(arena.offsets == [0, 640, 0])
    #expect(arena.sizeInBytes == 640 + 128)
  }

  @Test("holds the buffers and scratchpads of plans of random graphs without overlap")
  func plans() throws {
    for _ in 0..<60 {
      let seed = UInt64.random(in: 0 ... .max)
      let plan = try Planner(.compiled, FakeLibrary()).plan(RandomGraph(seed: seed).graph)
      let blocks = try placedBlocks(of: plan)
      check(blocks.map(\.block), blocks.map(\.offset), plan.arenaSizeInBytes, "seed \(seed)")
    }
  }

  /// Lifetimes by the plan's own steps, not by the planner's account of them.
  private func placedBlocks(of plan: Plan) throws -> [(block: Arena.Block, offset: Int)] {
    var placed: [(block: Arena.Block, offset: Int)] = []
    let kept = Set(plan.results.map(\.operand.buffer))
    for (index, buffer) in plan.buffers.enumerated() {
      guard case .arena(let offset) = buffer.place else { continue }
      let made = try #require(
        plan.steps.firstIndex { $0.results.contains { $0.buffer == index } })
      let read = plan.steps.lastIndex { $0.operands.contains { $0.buffer == index } } ?? made
      let last = kept.contains(index) ? plan.steps.count : read
      placed.append((Arena.Block(sizeInBytes: buffer.sizeInBytes, life: made...last), offset))
    }
    for (index, scratchpad) in plan.scratchpads.enumerated() {
      let block = Arena.Block(sizeInBytes: scratchpad.sizeInBytes, life: index...index)
      placed.append((block, scratchpad.offset))
    }
    return placed
  }

  private func check(_ blocks: [Arena.Block], _ comment: Comment) {
    let arena = Arena(blocks)
    check(blocks, arena.offsets, arena.sizeInBytes, comment)
  }

  private func check(
    _ blocks: [Arena.Block], _ offsets: [Int], _ sizeInBytes: Int, _ comment: Comment
  ) {
    for (index, block) in blocks.enumerated() {
      #expect(offsets[index] % Arena.alignment == 0, comment)
      #expect(offsets[index] + block.sizeInBytes <= sizeInBytes, comment)
      for other in blocks.indices.dropFirst(index + 1)
      where blocks[other].life.overlaps(block.life) {
        let areApart =
          offsets[other] >= offsets[index] + block.sizeInBytes
          || offsets[index] >= offsets[other] + blocks[other].sizeInBytes
        #expect(areApart, comment)
      }
    }
    let steps = blocks.map(\.life.upperBound).max() ?? 0
    let peak = (0...steps).map { step in
      blocks.reduce(0) { $1.life.contains(step) ? $0 + $1.sizeInBytes : $0 }
    }.max()
    #expect(sizeInBytes >= peak ?? 0, comment)
    #expect(sizeInBytes <= blocks.reduce(0) { $0 + ($1.sizeInBytes + 63) / 64 * 64 }, comment)
  }
}
