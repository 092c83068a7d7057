import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Foundation
import Testing

@Suite("Convolutions by im2col")
struct Im2colTests {
  /// Of the largest sum before the activation.
  private let tolerance = 2e-6

  /// A layer with random sizes, strides, dilations and padding.
  private static func random(using generator: inout SplitMix64) -> DirectLayer {
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let kernel = Size2D(pick(1...5), pick(1...4))
    let padding = Padding2D(
      top: pick(0...2), left: pick(0...2), bottom: pick(0...2), right: pick(0...2))
    let dilation = Size2D(pick(1...2), pick(1...2))
    let reach = Size2D(
      dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1)
    let height = pick(max(1, reach.height - padding.top - padding.bottom)...14)
    let width = pick(max(1, reach.width - padding.left - padding.right)...14)
    let inputs = pick(1...50)
    return DirectLayer(
      Convolution(
        stride: Size2D(pick(1...3), pick(1...3)), padding: padding, dilation: dilation),
      images: [pick(1...5), inputs, height, width],
      filters: [pick(1...80), inputs, kernel.height, kernel.width], seed: generator.next())
  }

  @Test(
    "equal direct ones: any size, stride, dilation, padding, layout, bias, residual, threads",
    arguments: Vectors.offered)
  func random(vectors: Vectors) {
    for round in 0..<120 {
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SplitMix64(seed: seed)
      func flip() -> Bool { Bool.random(using: &generator) }
      var layer = Self.random(using: &generator)
      layer.addOperands(residual: flip(), scale: false, using: &generator)
      layer.activation = DirectLayer.activations[round % DirectLayer.activations.count]
      // In blocks, channels beyond the outputs stay zero.
      let keepsZero = layer.activation != .sigmoid && layer.activation != .hardSigmoid
      let run = Im2colRun(
        layer, vectors, channelsLast: (flip(), flip() || !keepsZero), plain: round % 3 == 0,
        threads: Int.random(in: 1...5, using: &generator),
        inPlace: layer.residual != nil && flip())
      #expect(run.kernel.isValid)
      run.runAll()
      #expect(layer.error(of: run.outputs) <= tolerance, "seed \(seed), round \(round)")
      #expect(run.isIntact, "seed \(seed), round \(round)")
    }
  }

  /// Filters that are multiplied in several passes, images read as they lie, many pixels, a
  /// network's first layer of several bands.
  private static let layers: [(images: Shape, filters: Shape, stride: Int)] = [
    ([2, 530, 5, 5], [40, 530, 3, 3], 2), ([1, 48, 21, 23], [33, 48, 1, 1], 1),
    ([3, 32, 17, 16], [70, 32, 1, 1], 1), ([2, 16, 30, 31], [16, 16, 1, 7], 1),
    ([1, 1600, 3, 3], [20, 1600, 1, 1], 1), ([2, 3, 150, 161], [40, 3, 7, 7], 2),
  ]

  @Test(
    "stay exact, and the same to the bit, for any number of threads", arguments: Vectors.offered)
  func sameBits(vectors: Vectors) {
    for (images, filters, stride) in Self.layers {
      for inPlace in [false, true] {
        var generator = SplitMix64(seed: .random(in: 0 ... .max))
        let padding = Padding2D(
          top: filters[2] / 2, left: filters[3] / 2, bottom: filters[2] / 2,
          right: filters[3] / 2)
        var layer = DirectLayer(
          Convolution(stride: Size2D(stride), padding: padding), images: images,
          filters: filters, seed: generator.next())
        layer.addOperands(residual: true, scale: false, using: &generator)
        layer.activation = .relu
        let plain = images[1] == 3
        let once = Im2colRun(layer, vectors, plain: plain, inPlace: inPlace)
        once.runAll()
        #expect(layer.error(of: once.outputs) <= 2 * tolerance, "\(images)")
        for threads in [2, 3, 7] {
          let shared = Im2colRun(
            layer, vectors, plain: plain, threads: threads, inPlace: inPlace)
          DispatchQueue.concurrentPerform(iterations: threads) { shared.run(thread: $0) }
          #expect(shared.outputs == once.outputs, "\(images), \(threads) threads")
        }
      }
    }
  }

  @Test("write each output in one share, and share the work evenly", arguments: Vectors.offered)
  func shares(vectors: Vectors) {
    for (images, outputs, most) in [([1, 9, 7, 7] as Shape, 260, 8), ([2, 3, 60, 60], 33, 8)] {
      let layer = DirectLayer(
        Convolution(padding: Padding2D(1)), images: images, filters: [outputs, images[1], 3, 3],
        seed: .random(in: 0 ... .max))
      for threads in 1...most {
        let shares = (0..<threads).map { thread in
          let run = Im2colRun(
            layer, vectors, channelsLast: (true, true), plain: images[1] == 3, threads: threads)
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

  @Test("keep NaN to the outputs that see it")
  func notANumber() {
    let layer = DirectLayer(
      Convolution(), images: [1, 5, 6, 8], filters: [50, 5, 3, 3], seed: .random(in: 0 ... .max))
    for (vectors, plain) in Vectors.offered.flatMap({ [($0, true), ($0, false)] }) {
      let run = Im2colRun(layer, vectors, channelsLast: (true, false), plain: plain)
      run.source.start[plain ? (4 * 6 + 2) * 8 + 3 : (2 * 8 + 3) * 5 + 4] = .nan
      run.runAll()
      for (index, value) in run.outputs.enumerated() {
        let (row, column) = (index / 6 % 4, index % 6)
        #expect(value.isNaN == ((0...2).contains(row) && (1...3).contains(column)))
      }
    }
  }

  @Test("refuse what they cannot compute")
  func refusals() {
    let layer = DirectLayer(images: [1, 3, 5, 5], filters: [4, 3, 3, 3], seed: 1)
    let valid = Im2colRun(layer, .widest).kernel
    #expect(valid.isValid == (Vectors.widest != .none))
    let changes: [(inout Im2col) -> Void] = [
      { $0.vectors = .none }, { $0.images = 0 }, { $0.inputs = 0 }, { $0.outputs = -1 },
      { $0.height = 0 }, { $0.width = .max }, { $0.threads = 0 }, { $0.filterWidth = 0 },
      { $0.verticalStride = 0 }, { $0.horizontalDilation = 0 }, { $0.top = -1 }, { $0.left = .max },
      { $0.inputs = 1 << 29 }, { $0.activation = .sigmoid },
    ]
    for (index, change) in changes.enumerated() {
      var kernel = valid
      change(&kernel)
      #expect(!kernel.isValid, "change \(index)")
    }
  }
}
