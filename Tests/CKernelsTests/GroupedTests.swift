import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Foundation
import Testing

@Suite("Convolutions in groups")
struct GroupedTests {
  /// Of the largest sum before the activation.
  private let tolerance = 2e-6

  private static func layer(
    group: Int, channels: Int, stride: Int = 1, images: Int = 1, height: Int = 6, width: Int = 8,
    padding: Padding2D = Padding2D(1), seed: UInt64 = .random(in: 0 ... .max)
  ) -> DirectLayer {
    DirectLayer(
      Convolution(stride: Size2D(stride), padding: padding, groups: channels / group),
      images: [images, channels, height, width], filters: [channels, group, 3, 3], seed: seed)
  }

  @Test(
    "equal direct ones: any size, stride, padding, layout, bias, activation, threads",
    arguments: Vectors.offered)
  func random(vectors: Vectors) {
    for round in 0..<120 {
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SplitMix64(seed: seed)
      func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
      func flip() -> Bool { Bool.random(using: &generator) }
      let group = [4, 8, 16, 32][round % 4]
      let padding = Padding2D(
        top: pick(0...2), left: pick(0...2), bottom: pick(0...2), right: pick(0...2))
      var layer = Self.layer(
        group: group, channels: max(16, group) * pick(1...3), stride: pick(1...2),
        images: pick(1...4), height: pick(3...12), width: pick(3...33), padding: padding,
        seed: generator.next())
      layer.addOperands(residual: false, scale: false, using: &generator)
      layer.activation = DirectLayer.activations[round % DirectLayer.activations.count]
      let run = GroupedRun(
        layer, vectors, channelsLast: (flip(), flip()), threads: pick(1...5))
      #expect(run.kernel.isValid, "seed \(seed), round \(round)")
      run.runAll()
      #expect(layer.error(of: run.outputs) <= tolerance, "seed \(seed), round \(round)")
      #expect(run.isIntact, "seed \(seed), round \(round)")
    }
  }

  @Test("give the same bits for any number of threads", arguments: Vectors.offered)
  func sameBits(vectors: Vectors) {
    for (group, stride) in [(4, 1), (8, 2), (32, 1)] {
      let layer = Self.layer(
        group: group, channels: 64, stride: stride, images: 2, height: 9, width: 30)
      let once = GroupedRun(layer, vectors)
      once.runAll()
      for threads in [2, 3, 7] {
        let shared = GroupedRun(layer, vectors, threads: threads)
        DispatchQueue.concurrentPerform(iterations: threads) { shared.run(thread: $0) }
        #expect(shared.outputs == once.outputs, "\(group) a group, \(threads) threads")
      }
    }
  }

  @Test("keep NaN to the outputs of its group that see it")
  func notANumber() {
    for (vectors, group) in Vectors.offered.flatMap({ [($0, 4), ($0, 16)] }) {
      let layer = Self.layer(group: group, channels: 32)
      let run = GroupedRun(layer, vectors, channelsLast: (true, false))
      // Channel 18 of row 2, column 3.
      run.source.start[(2 * 8 + 3) * 32 + 18] = .nan
      run.runAll()
      for (index, value) in run.outputs.enumerated() {
        let (channel, row, column) = (index / 48, index / 8 % 6, index % 8)
        let sees = (1...3).contains(row) && (2...4).contains(column)
        #expect(value.isNaN == (sees && channel / group == 18 / group))
      }
    }
  }

  @Test("refuse what they cannot compute")
  func refusals() {
    let valid = GroupedRun(Self.layer(group: 4, channels: 32), .widest).kernel
    #expect(valid.isValid == (Vectors.widest != .none))
    let changes: [(inout Grouped) -> Void] = [
      { $0.vectors = .none }, { $0.images = 0 }, { $0.channels = 20 }, { $0.channels = -32 },
      { $0.groupChannels = 0 }, { $0.groupChannels = 2 }, { $0.groupChannels = 24 },
      { $0.groupChannels = .max }, { $0.height = 0 }, { $0.width = .max },
      { $0.outputHeight = 0 }, { $0.outputWidth = .max }, { $0.stride = 0 }, { $0.stride = 3 },
      { $0.top = -1 }, { $0.left = .max }, { $0.threads = 0 }, { $0.images = .max },
    ]
    for (index, change) in changes.enumerated() {
      var kernel = valid
      change(&kernel)
      #expect(!kernel.isValid, "change \(index)")
    }
  }
}
