import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Foundation
import Testing

@Suite("1×1 convolutions")
struct PointwiseTests {
  /// Of the largest sum before the activation.
  private let tolerance = 2e-6

  private static func layer(
    _ images: Shape, outputs: Int, stride: Int = 1, seed: UInt64 = .random(in: 0 ... .max)
  ) -> DirectLayer {
    DirectLayer(
      Convolution(stride: Size2D(stride)), images: images, filters: [outputs, images[1], 1, 1],
      seed: seed)
  }

  @Test(
    "equal direct ones: any size, stride, place, bias, scale, residual, activation, threads",
    arguments: Vectors.offered)
  func random(vectors: Vectors) {
    for round in 0..<80 {
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SplitMix64(seed: seed)
      func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
      func flip() -> Bool { Bool.random(using: &generator) }
      var layer = Self.layer(
        [pick(1...5), pick(1...70), pick(1...9), pick(1...9)], outputs: pick(1...130),
        stride: pick(1...2), seed: generator.next())
      layer.addOperands(residual: flip(), scale: flip(), using: &generator)
      layer.activation = DirectLayer.activations[round % DirectLayer.activations.count]
      let run = PointwiseRun(
        layer, vectors, threads: pick(1...5),
        sourceGaps: (flip() ? pick(1...40) : 0, flip() ? 3 : 0, flip() ? 5 : 0),
        gaps: (flip() ? pick(1...40) : 0, flip() ? 7 : 0, flip() ? 9 : 0),
        inPlace: layer.residual != nil && flip())
      #expect(run.kernel.isValid)
      run.runAll()
      #expect(
        layer.error(of: run.destination.values) <= tolerance, "seed \(seed), round \(round)")
      #expect(run.isIntact, "seed \(seed), round \(round)")
    }
  }

  @Test("take any number of outputs and of pixels", arguments: Vectors.offered)
  func sizes(vectors: Vectors) {
    for size in 1...70 {
      for (images, outputs) in [([1, 3, 1, 15] as Shape, size), ([1, 5, 1, size], 37)] {
        var layer = Self.layer(images, outputs: outputs)
        layer.activation = size % 2 == 0 ? .swish : .relu
        let run = PointwiseRun(layer, vectors, gaps: (3, 0, 0))
        run.runAll()
        #expect(layer.error(of: run.destination.values) <= tolerance, "\(images) to \(outputs)")
        #expect(run.isIntact, "\(images) to \(outputs)")
      }
    }
  }

  /// Filters beyond the second-level cache, pixels a power of two apart, more pixels than outputs.
  private static let layers: [(Shape, outputs: Int)] = [
    ([2, 330, 3, 5], 420), ([1, 512, 4, 4], 72), ([3, 21, 13, 10], 40), ([2, 9, 7, 7], 260),
  ]

  @Test(
    "stay exact, and the same to the bit, for any number of threads", arguments: Vectors.offered)
  func sameBits(vectors: Vectors) {
    for (images, outputs) in Self.layers {
      for scales in [false, true] {
        var generator = SplitMix64(seed: .random(in: 0 ... .max))
        var layer = Self.layer(images, outputs: outputs)
        layer.addOperands(residual: false, scale: scales, using: &generator)
        layer.activation = .swish
        let once = PointwiseRun(layer, vectors)
        once.runAll()
        #expect(layer.error(of: once.destination.values) <= 2 * tolerance, "\(images)")
        for threads in [2, 3, 7] {
          let shared = PointwiseRun(layer, vectors, threads: threads)
          DispatchQueue.concurrentPerform(iterations: threads) { shared.run(thread: $0) }
          #expect(shared.destination.values == once.destination.values, "\(images), \(threads)")
        }
      }
    }
  }

  @Test("write each output in one share, and share the work evenly", arguments: Vectors.offered)
  func shares(vectors: Vectors) {
    for (images, outputs, most) in [([1, 9, 7, 7] as Shape, 260, 8), ([2, 3, 30, 30], 33, 16)] {
      let layer = Self.layer(images, outputs: outputs)
      for threads in 1...most {
        let shares = (0..<threads).map { thread in
          let run = PointwiseRun(layer, vectors, threads: threads)
          run.run(thread: thread)
          return run.destination.values.map { $0.isNaN ? 0 : 1 }
        }
        let writes = shares[0].indices.map { i in shares.reduce(0) { $0 + $1[i] } }
        #expect(writes.allSatisfy { $0 == 1 }, "\(threads) threads")
        let largest = shares.map { $0.reduce(0, +) }.max() ?? 0
        #expect(largest * threads <= 2 * writes.count, "\(images), \(threads) threads")
      }
    }
  }

  @Test("keep NaN in its pixel")
  func notANumber() {
    for activation in DirectLayer.activations {
      var layer = Self.layer([1, 5, 3, 10], outputs: 50)
      layer.activation = activation
      for vectors in Vectors.offered {
        let run = PointwiseRun(layer, vectors)
        run.source.memory.start[17 * 5 + 2] = .nan
        run.runAll()
        for (index, value) in run.destination.values.enumerated() {
          #expect(value.isNaN == (index % 30 == 17))
        }
      }
    }
  }

  @Test("refuse what they cannot compute")
  func refusals() {
    let valid = PointwiseRun(Self.layer([1, 3, 5, 5], outputs: 4), .widest).kernel
    #expect(valid.isValid == (Vectors.widest != .none))
    let changes: [(inout Pointwise) -> Void] = [
      { $0.vectors = .none }, { $0.images = 0 }, { $0.inputs = 0 }, { $0.outputs = -1 },
      { $0.height = 0 }, { $0.width = .max }, { $0.threads = 0 }, { $0.destination.pixel = 3 },
    ]
    for (index, change) in changes.enumerated() {
      var kernel = valid
      change(&kernel)
      #expect(!kernel.isValid, "change \(index)")
    }
  }
}
