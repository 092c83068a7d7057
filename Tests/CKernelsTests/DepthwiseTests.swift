import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Foundation
import Testing

@Suite("Depthwise convolutions")
struct DepthwiseTests {
  /// Of the largest sum before the activation.
  private let tolerance = 1e-6

  private static func layer(
    _ images: Shape, _ filter: Size2D, stride: Size2D = Size2D(1),
    _ padding: Padding2D = Padding2D(0), seed: UInt64 = .random(in: 0 ... .max)
  ) -> DirectLayer {
    DirectLayer(
      Convolution(stride: stride, padding: padding, groups: images[1]), images: images,
      filters: [images[1], 1, filter.height, filter.width], seed: seed)
  }

  private func check(_ layer: DirectLayer, _ run: DepthwiseRun, _ comment: Comment) {
    #expect(run.kernel.isValid, comment)
    let shape = layer.shape
    #expect(Int(run.kernel.outputHeight) == shape[2] && Int(run.kernel.outputWidth) == shape[3])
    run.runAll()
    #expect(layer.error(of: run.destination.values) <= tolerance, comment)
    #expect(run.isIntact, comment)
  }

  /// Whether means of outputs are right and do not depend on how they are shared.
  private func checkMeans(_ run: DepthwiseRun, area: Int, _ comment: Comment) {
    let outputs = run.destination.values
    let largest = Double(outputs.map(\.magnitude).max() ?? 0)
    let means = run.means()
    for (index, mean) in means.enumerated() {
      let exact = outputs[index * area..<(index + 1) * area].reduce(0) { $0 + Double($1) }
      #expect((Double(mean) - exact / Double(area)).magnitude <= 1e-6 * largest, comment)
    }
    #expect(run.means(shares: 3) == means, comment)
  }

  /// Sizes of 3 or 5 for the most part, strides of 1 or 2, and any padding.
  private static func random(using generator: inout SplitMix64) -> DirectLayer {
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let isUsual = pick(0...3) > 0
    let size = [3, 5][pick(0...1)]
    let filter = isUsual ? Size2D(size) : Size2D(pick(1...7), pick(1...7))
    let stride = isUsual ? Size2D(pick(1...2)) : Size2D(pick(1...3), pick(1...3))
    let most = isUsual ? size - 1 : 8
    let padding = Padding2D(
      top: pick(0...most), left: pick(0...most), bottom: pick(0...most), right: pick(0...most))
    let height = pick(max(1, filter.height - padding.top - padding.bottom)...12)
    let width = pick(max(1, filter.width - padding.left - padding.right)...20)
    return layer(
      [pick(1...5), pick(1...70), height, width], filter, stride: stride, padding,
      seed: generator.next())
  }

  @Test(
    "equal direct ones: any size, stride, padding, place, bias, activation, sums, threads",
    arguments: Vectors.offered)
  func random(vectors: Vectors) {
    for round in 0..<80 {
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SplitMix64(seed: seed)
      var layer = Self.random(using: &generator)
      func flip() -> Bool { Bool.random(using: &generator) }
      layer.addOperands(residual: false, scale: false, using: &generator)
      layer.activation = DirectLayer.activations[round % DirectLayer.activations.count]
      let sums = flip()
      let run = DepthwiseRun(
        layer, vectors, threads: Int.random(in: 1...5, using: &generator),
        sourceGaps: (flip() ? 21 : 0, flip() ? 3 : 0, flip() ? 5 : 0),
        gaps: (flip() ? 19 : 0, flip() ? 7 : 0, flip() ? 9 : 0), sums: sums)
      check(layer, run, "seed \(seed), round \(round)")
      let area = layer.shape[2] * layer.shape[3]
      if sums { checkMeans(run, area: area, "seed \(seed), round \(round)") }
    }
  }

  @Test("take every width and padding of their sides", arguments: Vectors.offered)
  func borders(vectors: Vectors) {
    for size in [3, 5] {
      for stride in [1, 2] {
        for width in 1...31 {
          let (left, right) = (width % size, width / size % size)
          guard width + left + right >= size else { continue }
          let padding = Padding2D(top: right, left: left, bottom: size - 1 - right, right: right)
          let layer = Self.layer([1, 21, 2, width], Size2D(size), stride: Size2D(stride), padding)
          check(layer, DepthwiseRun(layer, vectors), "\(size), \(stride), \(width), \(padding)")
        }
      }
    }
  }

  @Test("give the same bits for any number of threads", arguments: Vectors.offered)
  func sameBits(vectors: Vectors) {
    for images: Shape in [[1, 100, 7, 7], [3, 40, 13, 15], [2, 9, 30, 4]] {
      var layer = Self.layer(images, Size2D(5), Padding2D(2))
      layer.activation = .swish
      let once = DepthwiseRun(layer, vectors, sums: true)
      once.runAll()
      for threads in [2, 3, 7, 16] {
        let shared = DepthwiseRun(layer, vectors, threads: threads, sums: true)
        DispatchQueue.concurrentPerform(iterations: threads) { shared.run(thread: $0) }
        #expect(shared.destination.values == once.destination.values, "\(images), \(threads)")
        #expect(shared.means() == once.means(), "\(images), \(threads)")
      }
    }
  }

  @Test("write each output in one share, and share the work evenly", arguments: Vectors.offered)
  func shares(vectors: Vectors) {
    for (images, most) in [([1, 130, 7, 7] as Shape, 8), ([2, 20, 30, 5], 16)] {
      let layer = Self.layer(images, Size2D(3), Padding2D(1))
      for threads in 1...most {
        let shares = (0..<threads).map { thread in
          let run = DepthwiseRun(layer, vectors, threads: threads)
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

  @Test("keep NaN where it is read")
  func notANumber() {
    for activation in DirectLayer.activations {
      var layer = Self.layer([1, 20, 5, 9], Size2D(3), Padding2D(1))
      layer.activation = activation
      for vectors in Vectors.offered {
        let run = DepthwiseRun(layer, vectors)
        run.source.memory.start[(2 * 9 + 4) * 20 + 13] = .nan
        run.runAll()
        for (index, value) in run.destination.values.enumerated() {
          let (row, column) = (index % 45 / 9, index % 9)
          let reads = index / 45 == 13 && abs(row - 2) <= 1 && abs(column - 4) <= 1
          #expect(value.isNaN == reads)
        }
      }
    }
  }

  @Test("refuse what they cannot compute")
  func refusals() {
    let valid = DepthwiseRun(Self.layer([1, 3, 5, 5], Size2D(3)), .widest).kernel
    #expect(valid.isValid == (Vectors.widest != .none))
    let changes: [(inout Depthwise) -> Void] = [
      { $0.vectors = .none }, { $0.images = 0 }, { $0.channels = 0 }, { $0.height = 0 },
      { $0.filterHeight = 6 }, { $0.filterWidth = 0 }, { $0.verticalStride = 0 },
      { $0.horizontalStride = -1 }, { $0.top = -1 }, { $0.right = .max }, { $0.width = .max },
      { $0.threads = 0 }, { $0.destination.pixel = 2 },
    ]
    for (index, change) in changes.enumerated() {
      var kernel = valid
      change(&kernel)
      #expect(!kernel.isValid, "change \(index)")
    }
  }
}
