import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Foundation
import Testing

@Suite("1×1 and depthwise convolutions in one")
struct ExpandedDepthwiseTests {
  /// Of the largest sum before the last activation.
  private let tolerance = 4e-6

  private struct Layers {
    var first, second: DirectLayer

    init(
      _ images: Shape, channels: Int, _ filter: Size2D, stride: Size2D = Size2D(1),
      _ padding: Padding2D, _ activation: Activation? = .relu,
      seed: UInt64 = .random(in: 0 ... .max)
    ) {
      var generator = SplitMix64(seed: seed)
      first = DirectLayer(
        images: images, filters: [channels, images[1], 1, 1], seed: generator.next())
      first.addOperands(residual: false, scale: false, using: &generator)
      first.activation = activation
      second = DirectLayer(
        Convolution(stride: stride, padding: padding, groups: channels),
        on: first.activated(first.sums), filters: [channels, 1, filter.height, filter.width],
        seed: generator.next())
      second.addOperands(residual: false, scale: false, using: &generator)
      second.activation = activation
    }
  }

  /// Filters of 3 or 5 for the most part, strides of 1 or 2, and any padding.
  private static func random(
    lanes: Int, whole: Bool, _ activation: Activation?, using generator: inout SplitMix64
  ) -> Layers {
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let isUsual = pick(0...3) > 0
    let size = [3, 5][pick(0...1)]
    let filter = isUsual ? Size2D(size) : Size2D(pick(1...7), pick(1...7))
    let stride = isUsual ? Size2D(pick(1...2)) : Size2D(pick(1...4), pick(1...3))
    let most = isUsual ? size - 1 : 8
    let padding = Padding2D(
      top: pick(0...most), left: pick(0...most), bottom: pick(0...most), right: pick(0...most))
    let height = pick(max(1, filter.height - padding.top - padding.bottom)...12)
    let width = pick(max(1, filter.width - padding.left - padding.right)...32)
    return Layers(
      [pick(1...4), pick(1...40), height, width],
      channels: whole ? lanes * pick(1...5) : pick(1...70), filter, stride: stride, padding,
      activation, seed: generator.next())
  }

  @Test(
    "equal one after the other: any size, stride, padding, layout, bias, activation, threads",
    arguments: Vectors.offered)
  func random(vectors: Vectors) {
    for round in 0..<120 {
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SplitMix64(seed: seed)
      func flip() -> Bool { Bool.random(using: &generator) }
      let activation = DirectLayer.activations[round % DirectLayer.activations.count]
      // In blocks, channels beyond the last one stay zero.
      let keepsZero = activation != .sigmoid && activation != .hardSigmoid
      let (isLast, sums) = (flip(), flip())
      let layers = Self.random(
        lanes: Int(vectors.rawValue), whole: isLast || sums || !keepsZero, activation,
        using: &generator)
      let run = ExpandedDepthwiseRun(
        layers.first, layers.second, vectors, channelsLast: (flip(), isLast),
        threads: Int.random(in: 1...5, using: &generator), sums: sums)
      #expect(run.kernel.isValid)
      run.runAll()
      let error = layers.second.error(of: run.outputs)
      #expect(error <= tolerance, "seed \(seed), round \(round): \(error)")
      #expect(run.isIntact, "seed \(seed), round \(round)")
      if sums { checkMeans(run, layers.second.shape, "seed \(seed), round \(round)") }
    }
  }

  /// Whether means of outputs are right and do not depend on how they are shared.
  private func checkMeans(_ run: ExpandedDepthwiseRun, _ shape: Shape, _ comment: Comment) {
    let (outputs, area) = (run.outputs, shape[2] * shape[3])
    let largest = Double(outputs.map(\.magnitude).max() ?? 0)
    let means = run.means()
    for (index, mean) in means.enumerated() {
      let exact = outputs[index * area..<(index + 1) * area].reduce(0) { $0 + Double($1) }
      #expect((Double(mean) - exact / Double(area)).magnitude <= 1e-6 * largest, comment)
    }
    #expect(run.means(shares: 3) == means, comment)
  }

  @Test("give the same bits for any number of threads", arguments: Vectors.offered)
  func sameBits(vectors: Vectors) {
    for (images, size, stride) in [
      ([1, 24, 20, 33] as Shape, 3, 1), ([3, 16, 13, 15], 5, 2), ([1, 9, 4, 600], 5, 1),
    ] {
      let layers = Layers(
        images, channels: 144, Size2D(size), stride: Size2D(stride), Padding2D(size / 2), .swish)
      let once = ExpandedDepthwiseRun(layers.first, layers.second, vectors, sums: true)
      once.runAll()
      #expect(layers.second.error(of: once.outputs) <= tolerance, "\(images)")
      for threads in [2, 3, 7, 16] {
        let shared = ExpandedDepthwiseRun(
          layers.first, layers.second, vectors, threads: threads, sums: true)
        DispatchQueue.concurrentPerform(iterations: threads) { shared.run(thread: $0) }
        #expect(shared.outputs == once.outputs, "\(images), \(threads)")
        #expect(shared.means() == once.means(), "\(images), \(threads)")
      }
    }
  }

  @Test("write each output in one share, and share the work evenly", arguments: Vectors.offered)
  func shares(vectors: Vectors) {
    for (images, most) in [([1, 8, 30, 20] as Shape, 8), ([3, 8, 14, 14], 6)] {
      let layers = Layers(images, channels: 192, Size2D(3), Padding2D(1))
      for threads in 1...most {
        let shares = (0..<threads).map { thread in
          let run = ExpandedDepthwiseRun(layers.first, layers.second, vectors, threads: threads)
          run.run(thread: thread)
          return run.outputs.map { $0.isNaN ? 0 : 1 }
        }
        let writes = shares[0].indices.map { i in shares.reduce(0) { $0 + $1[i] } }
        #expect(writes.allSatisfy { $0 == 1 }, "\(threads) threads")
        let largest = shares.map { $0.reduce(0, +) }.max() ?? 0
        #expect(largest * threads <= 2 * writes.count, "\(images), \(threads) threads")
      }
    }
  }

  @Test("keep NaN to the outputs that see it", arguments: DirectLayer.activations)
  func notANumber(activation: Activation?) {
    let layers = Layers([1, 20, 7, 9], channels: 64, Size2D(3), Padding2D(1), activation)
    for vectors in Vectors.offered {
      let run = ExpandedDepthwiseRun(
        layers.first, layers.second, vectors, channelsLast: (true, true))
      run.source.start[(2 * 9 + 4) * 20 + 13] = .nan
      run.runAll()
      for (index, value) in run.outputs.enumerated() {
        let (row, column) = (index % 63 / 9, index % 9)
        #expect(value.isNaN == (abs(row - 2) <= 1 && abs(column - 4) <= 1))
      }
    }
  }

  @Test("refuse what they cannot compute")
  func refusals() {
    let layers = Layers([1, 3, 5, 5], channels: 24, Size2D(3), Padding2D(1))
    let valid = ExpandedDepthwiseRun(layers.first, layers.second, .widest).kernel
    #expect(valid.isValid == (Vectors.widest != .none))
    let changes: [(inout ExpandedDepthwise) -> Void] = [
      { $0.vectors = .none }, { $0.images = 0 }, { $0.inputs = 0 }, { $0.channels = 0 },
      { $0.height = 0 }, { $0.width = .max }, { $0.filterHeight = 8 }, { $0.filterWidth = 0 },
      { $0.verticalStride = 0 }, { $0.horizontalStride = -1 }, { $0.top = -1 },
      { $0.right = .max }, { $0.threads = 0 }, { $0.inputs = .max },
      { ($0.channels, $0.destination.pixel) = (20, 20) },
      { ($0.channels, $0.activation) = (20, .sigmoid) },
    ]
    for (index, change) in changes.enumerated() {
      var kernel = valid
      change(&kernel)
      #expect(!kernel.isValid, "change \(index)")
    }
  }
}
