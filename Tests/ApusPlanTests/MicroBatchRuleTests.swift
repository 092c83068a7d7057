import ApusPlan
import Testing

@Suite("Choosing how many images run at a time")
struct MicroBatchRuleTests {
  @Test(
    "takes the largest divisor of the batch up to 4; small batches stay whole",
    arguments: [
      (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 3), (7, 7), (8, 4), (9, 3), (10, 2), (11, 1),
      (13, 1), (15, 3), (16, 4), (25, 1), (30, 3), (32, 4), (256, 4),
    ])
  func byBatch(batch: Int, size: Int) {
    // The activations and filters of mobilenet_v2.
    #expect(MicroBatchRule(batch: batch, arena: 6 << 20, filters: 14 << 20).size == size)
    #expect(batch % size == 0)
  }

  @Test("leaves a batch whole where filters outweigh what activations gain, as alexnet's do")
  func byFilters() {
    #expect(MicroBatchRule(batch: 16, arena: 2 << 20, filters: 240 << 20).size == 16)
    #expect(MicroBatchRule(batch: 16, arena: 4 << 20, filters: 240 << 20).size == 4)
    // Micro-batches of one image read the filters four times as often.
    #expect(MicroBatchRule(batch: 11, arena: 4 << 20, filters: 240 << 20).size == 11)
  }
}
