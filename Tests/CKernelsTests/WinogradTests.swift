import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Foundation
import Testing

/// A size of tiles and one of the filters that they are for.
struct WinogradForm: Hashable, Sendable {
  let tile: Int
  let filter: Size2D

  static let all: [WinogradForm] = [2, 4].flatMap { tile in
    let lines = [3, 5, 7].flatMap { [Size2D(1, $0), Size2D($0, 1)] }
    let squares = tile == 2 ? [Size2D(3), Size2D(5)] : [Size2D(3)]
    return (lines + squares).map { WinogradForm(tile: tile, filter: $0) }
  }
}

@Suite("Winograd convolutions")
struct WinogradTests {
  /// Of the largest sum before the activation, by the kernel's points along a side; 1.1e-6 and 6e-6
  /// were seen with 520 inputs and 3×3 filters in tiles of 2 and 4.
  private func tolerance(_ kernel: Winograd) -> Double {
    max(kernel.filterHeight, kernel.filterWidth) + kernel.tile == 5 ? 2e-6 : 1e-5
  }

  private static let activations: [Activation?] = [
    nil, .relu, .relu6, .leakyRelu(slope: 0.1), .elu(alpha: 0.7), .swish, .hardSwish, .mish,
  ]

  private func check(
    _ layer: Layer, _ kernel: Winograd, inPlace: Bool = false, _ comment: Comment
  ) throws {
    try #require(kernel.isValid, comment)
    let buffers = Buffers(layer, kernel, inPlace: inPlace)
    buffers.runAll()
    let sums = layer.sums
    let expected = layer.activated(sums)
    let errors = zip(expected.values, buffers.outputs).map { ($0 - Double($1)).magnitude }
    let worst = errors.contains { $0.isNaN } ? .nan : errors.max() ?? 0
    let allowed = tolerance(kernel) * sums.largest
    #expect(worst <= allowed, comment)
    #expect(buffers.beyondChannels.allSatisfy { $0 == 0 }, comment)
    #expect(buffers.isIntact, comment)
  }

  @Test(
    "equal direct ones in float64: any size, padding, layout, bias, residual, activation, threads",
    arguments: Vectors.offered, WinogradForm.all)
  func random(vectors: Vectors, form: WinogradForm) throws {
    for round in 0..<(form.filter == Size2D(3) ? 40 : 16) {
      let seed = UInt64.random(in: 0 ... .max)
      var generator = SplitMix64(seed: seed)
      var layer = Layer.random(filter: form.filter, using: &generator)
      var tensors = RandomTensors(seed: generator.next())
      if Bool.random(using: &generator) {
        layer.bias = ReferenceTensor(tensors.tensor([layer.shape[1]])).float64
      }
      if Bool.random(using: &generator) {
        layer.residual = ReferenceTensor(tensors.tensor(layer.shape)).float64
      }
      layer.activation = Self.activations[round % Self.activations.count]
      let kernel = layer.kernel(
        vectors, tile: form.tile, channelsLast: Bool.random(using: &generator),
        threads: Int.random(in: 1...5, using: &generator),
        chunk: Int.random(in: 0...40, using: &generator))
      let inPlace = layer.residual != nil && Bool.random(using: &generator)
      try check(layer, kernel, inPlace: inPlace, "seed \(seed), round \(round)")
    }
  }

  @Test(
    "equal direct ones where outputs go past the caches, as those of more than 8 MiB do",
    arguments: [Size2D(3), Size2D(7, 1)])
  func streamed(filter: Size2D) throws {
    let seed = UInt64.random(in: 0 ... .max)
    let layer = Layer.random([1, 1, 190, 181], outputs: 64, filter: filter, seed: seed)
    let expected = layer.sums
    for vectors in Vectors.offered {
      for channelsLast in [false, true] {
        let kernel = layer.kernel(vectors, tile: 4, channelsLast: channelsLast, threads: 2)
        let buffers = Buffers(layer, kernel)
        buffers.runAll()
        let errors = zip(expected.values, buffers.outputs).map { ($0 - Double($1)).magnitude }
        #expect(try #require(errors.max()) <= 1e-5 * expected.largest, "seed \(seed)")
      }
    }
  }

  @Test("take every padding smaller than the filter", arguments: Vectors.offered, WinogradForm.all)
  func paddings(vectors: Vectors, form: WinogradForm) throws {
    let (rows, columns) = (form.filter.height, form.filter.width)
    for code in 0..<rows * rows * columns * columns {
      let (vertical, horizontal) = (code / (columns * columns), code % (columns * columns))
      let padding = Padding2D(
        top: vertical / rows, left: horizontal / columns, bottom: vertical % rows,
        right: horizontal % columns)
      let seed = UInt64.random(in: 0 ... .max)
      let layer = Layer.random([1, 3, 8, 7], outputs: 2, filter: form.filter, padding, seed: seed)
      try check(layer, layer.kernel(vectors, tile: form.tile), "seed \(seed), padding \(padding)")
    }
  }

  @Test("stay exact over many channels", arguments: Vectors.offered, WinogradForm.all)
  func manyChannels(vectors: Vectors, form: WinogradForm) throws {
    let seed = UInt64.random(in: 0 ... .max)
    let layer = Layer.random([1, 520, 7, 9], outputs: 24, filter: form.filter, seed: seed)
    try check(layer, layer.kernel(vectors, tile: form.tile), "seed \(seed)")
  }

  @Test(
    "give the same bits for any number of threads and any chunk", arguments: Vectors.offered,
    [Size2D(3), Size2D(1, 7)])
  func sameBits(vectors: Vectors, filter: Size2D) {
    let seed = UInt64.random(in: 0 ... .max)
    let layer = Layer.random([2, 21, 13, 10], outputs: 100, filter: filter, seed: seed)
    let once = Buffers(layer, layer.kernel(vectors, tile: 4))
    once.runAll()
    for (threads, chunk) in [(1, 1), (2, 5), (3, 14), (4, 0), (7, 15), (16, 3)] {
      let shared = Buffers(layer, layer.kernel(vectors, tile: 4, threads: threads, chunk: chunk))
      DispatchQueue.concurrentPerform(iterations: threads) { shared.run(thread: $0) }
      #expect(
        shared.outputs == once.outputs, "seed \(seed), \(threads) threads, chunk \(chunk)")
    }
  }

  /// Images, outputs, and the most threads these give work to.
  private static let sharings: [(Shape, outputs: Int, threads: Int)] = [
    ([1, 9, 7, 7], 260, 8), ([2, 3, 30, 30], 33, 16), ([9, 5, 7, 7], 20, 9),
  ]

  @Test("write each output in one share, and share the work evenly", arguments: sharings)
  func shares(images: Shape, outputs: Int, threads: Int) {
    let layer = Layer.random(images, outputs: outputs, seed: .random(in: 0 ... .max))
    for vectors in Vectors.offered {
      for threads in 1...threads {
        let kernel = layer.kernel(vectors, tile: 4, threads: threads)
        let shares = (0..<threads).map { thread in
          let buffers = Buffers(layer, kernel)
          buffers.run(thread: thread)
          return buffers.destination.values.map { $0.isNaN ? 0 : 1 }
        }
        let writes = shares[0].indices.map { i in shares.reduce(0) { $0 + $1[i] } }
        #expect(writes.allSatisfy { $0 == 1 }, "\(vectors), \(threads) threads")
        let largest = shares.map { $0.reduce(0, +) }.max() ?? 0
        #expect(largest * threads <= 2 * writes.count, "\(vectors), \(threads) threads")
      }
    }
  }

  @Test(
    "write into part of a larger tensor and leave the rest of it alone",
    arguments: [Size2D(3), Size2D(1, 5), Size2D(5, 1)])
  func partOfTensor(filter: Size2D) {
    let same = Padding2D(
      top: filter.height / 2, left: filter.width / 2, bottom: filter.height / 2,
      right: filter.width / 2)
    let layer = Layer.random(
      [2, 6, 9, 5], outputs: 19, filter: filter, same, seed: .random(in: 0 ... .max))
    for vectors in Vectors.offered {
      for channelsLast in [false, true] {
        // A concatenation's result with one block of channels before these and three after them.
        let lanes = Int(vectors.rawValue)
        let blocks = (19 + lanes - 1) / lanes + 4
        let whole: Shape = [2, blocks * lanes, 9, 5]
        var kernel = layer.kernel(vectors, tile: 4, channelsLast: channelsLast, threads: 2)
        let alone = Buffers(layer, kernel)
        alone.runAll()
        kernel.destination = ImageStrides(whole, vectors, channelsLast: channelsLast)
        let inside = Buffers(layer, kernel, first: kernel.destination.block)
        inside.runAll()
        #expect(inside.outputs == alone.outputs)
        #expect(inside.beyondChannels.allSatisfy { $0 == 0 })
        #expect(inside.beyondBlocks.allSatisfy { $0.isNaN })
      }
    }
  }

  /// The points of F(t×t, r×r) and F(t, r), by their number t + r − 1.
  private static let points: [Int: [Double]] = [
    4: [0, 1, -1], 6: [0, 0.6875, -0.6875, 1.5, -1.5], 8: [0, 0.5, -0.5, 1, -1, 2, -2],
    10: [0, 0.4375, -0.4375, 0.8125, -0.8125, 1.25, -1.25, 2.25, -2.25],
  ]

  @Test("transform filters as their twin does", arguments: Vectors.offered, WinogradForm.all)
  func filters(vectors: Vectors, form: WinogradForm) throws {
    let layer = Layer.random(
      [1, 5, 8, 8], outputs: 45, filter: form.filter, seed: .random(in: 0 ... .max))
    let (kernel, area) = (layer.kernel(vectors, tile: form.tile), form.filter.area)
    let side = max(form.filter.height, form.filter.width) + form.tile - 1
    let twin = WinogradConvolution(
      points: try #require(Self.points[side]), filter: form.filter, padding: layer.padding)
    let got = Buffers(layer, kernel).filters.values
    let lanes = Int(vectors.rawValue)
    let blocks = (45 + lanes - 1) / lanes
    var expected = [Float](repeating: 0, count: kernel.filterCount)
    for o in 0..<45 {
      let panel = o / (2 * lanes)
      let width = min(2, blocks - 2 * panel) * lanes
      for c in 0..<5 {
        let first = (o * 5 + c) * area
        let values = twin.transformed(filter: Array(layer.filters.values[first..<first + area]))
        for (point, value) in values.enumerated() {
          let start = panel * values.count * 5 * 2 * lanes + (point * 5 + c) * width
          expected[start + o % (2 * lanes)] = Float(value)
        }
      }
    }
    #expect(zip(got, expected).allSatisfy { abs($0 - $1) <= 2 * max(abs($1), 0.01).ulp })
  }

  @Test("keep NaN")
  func notANumber() {
    var values = [Double](repeating: 1, count: 16)
    values[5] = .nan
    for activation in Self.activations {
      let layer = Layer(
        padding: Padding2D(1),
        images: ReferenceTensor(TensorType(.float64, [1, 1, 4, 4]), rounding: values),
        filters: ReferenceTensor(
          TensorType(.float64, [1, 1, 3, 3]), rounding: [Double](repeating: 1, count: 9)),
        activation: activation)
      for vectors in Vectors.offered {
        let buffers = Buffers(layer, layer.kernel(vectors, tile: 4))
        buffers.runAll()
        #expect(buffers.outputs.allSatisfy { $0.isNaN })
      }
    }
  }

  @Test("refuse what they cannot compute")
  func refusals() {
    let layer = Layer.random([1, 3, 5, 5], outputs: 4, seed: 1)
    let valid = layer.kernel(.widest, tile: 4)
    #expect(valid.isValid == (Vectors.widest != .none))
    let changes: [(inout Winograd) -> Void] = [
      { $0.vectors = .none }, { $0.tile = 3 }, { $0.tile = 6 }, { $0.images = 0 },
      { $0.inputs = 0 }, { $0.outputs = -1 }, { $0.height = 0 }, { $0.top = -1 },
      { ($0.height, $0.top, $0.bottom) = (1, 0, 1) }, { $0.width = .max }, { $0.right = .max },
      { $0.threads = 0 }, { $0.chunk = -1 }, { ($0.filterHeight, $0.filterWidth) = (5, 5) },
      { ($0.filterHeight, $0.filterWidth) = (1, 1) }, { $0.filterHeight = 5 },
      { ($0.filterHeight, $0.filterWidth) = (1, 4) }, { $0.filterWidth = 0 },
    ]
    for (index, change) in changes.enumerated() {
      var kernel = valid
      change(&kernel)
      #expect(!kernel.isValid, "change \(index)")
    }
    // They would not leave zero what lies beyond the channels of a whole block.
    for activation: FusedActivation in [.sigmoid, .hardSigmoid] {
      for channelsLast in [false, true] {
        var kernel = layer.kernel(.widest, tile: 4, channelsLast: channelsLast)
        kernel.activation = activation
        #expect(kernel.isValid == channelsLast)
      }
    }
  }
}
