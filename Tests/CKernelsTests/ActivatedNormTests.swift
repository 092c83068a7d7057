import ApusIR
import ApusReference
import CKernels
import Testing

@Suite("Activated batch norm")
struct ActivatedNormTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let vectors: Vectors
    let shape: Shape
    /// Channels in a block; all of them in one where it is their number.
    let block: Int
    let activation: Activation?
    let threads: Int

    var testDescription: String {
      "\(shape) in blocks of \(block), \(activation.map { "\($0)" } ?? "identity"), "
        + "\(threads) threads, \(vectors)"
    }

    static let all: [Row] = Vectors.offered.flatMap { vectors in
      [
        (Shape([3, 37, 9, 8]), 37), ([2, 32, 5, 7], 8), ([2, 48, 11, 7], 16), ([1, 3, 2, 1], 3),
      ].flatMap { (shape: Shape, block: Int) in
        [nil, Activation.leakyRelu(slope: 0.01), .elu(alpha: 0.8)].flatMap { activation in
          [1, 3, 8].map {
            Row(vectors: vectors, shape: shape, block: block, activation: activation, threads: $0)
          }
        }
      }
    }

    var norm: ActivatedBatchNorm { ActivatedBatchNorm(epsilon: 1e-3, activation: activation) }

    var kernel: ActivatedNorm {
      var kernel = ActivatedNorm()
      kernel.vectors = vectors
      (kernel.images, kernel.channels) = (Int32(shape[0]), Int32(shape[1]))
      kernel.pixels = shape[2] * shape[3]
      kernel.strides = ChannelBlocks(shape, block: block)
      switch activation {
      case .leakyRelu(let slope)?:
        (kernel.activation, kernel.parameter) = (.leakyRelu, Float(slope))
      case .elu(let alpha)?: (kernel.activation, kernel.parameter) = (.elu, Float(alpha))
      default: kernel.activation = .none
      }
      kernel.epsilon = norm.epsilon
      kernel.threads = Int32(threads)
      return kernel
    }
  }

  @Test("and its gradients are the reference's, written over what they read", arguments: Row.all)
  func reference(row: Row) throws {
    let channels: Shape = [row.shape[1]]
    let x = random(row.shape, 2...6)
    let (scale, offset) = (random(channels, -1.5...1.5), random(channels, -1...1))
    let op = Op.activatedBatchNorm(row.norm)
    let expected = op.evaluate(
      [x, scale, offset], resultTypes: try op.resultTypes([x.type, scale.type, offset.type]))
    let strides = ChannelBlocks(row.shape, block: row.block)
    let kernel = row.kernel
    let y = GuardedFloats(strides.laidOut(x))
    let (mean, variance) = (GuardedFloats(count: channels[0]), GuardedFloats(count: channels[0]))
    forward(kernel, y, scale, offset, mean, variance)
    expectClose(strides.rowMajor(y, row.shape), expected[0].values, "y")
    expectClose(mean.values, expected[1].values, "mean")
    expectClose(variance.values, expected[2].values, "variance")
    #expect(y.isIntact && mean.isIntact && variance.isIntact)

    let dy = random(row.shape, -1...1)
    // Far enough from zero for the inversion.
    let steep = ReferenceTensor(
      scale.type, rounding: scale.values.map { $0 < 0 ? $0 - 0.5 : $0 + 0.5 })
    let outputs = random(row.shape, row.activation == .elu(alpha: 0.8) ? -0.5...2 : -1...2)
    let gradient = Op.activatedBatchNormGradient(row.norm)
    let operands = [outputs, steep, offset, random(channels, 0.5...2), dy]
    let gradients = gradient.evaluate(
      operands, resultTypes: try gradient.resultTypes(operands.map(\.type)))
    for overwritesGradient in [false, true] {
      let y = GuardedFloats(strides.laidOut(outputs))
      let dy = GuardedFloats(strides.laidOut(dy))
      let vectors = operands[1...3].map { GuardedFloats($0.values.map(Float.init)) }
      let (dscale, doffset) = (GuardedFloats(count: channels[0]), GuardedFloats(count: channels[0]))
      let dx = overwritesGradient ? dy : y
      backward(kernel, y, vectors, dy, dscale, doffset, dx)
      expectClose(strides.rowMajor(dx, row.shape), gradients[0].values, "dx")
      expectClose(dscale.values, gradients[1].values, "dscale")
      expectClose(doffset.values, gradients[2].values, "doffset")
      #expect(dx.isIntact && dscale.isIntact && doffset.isIntact)
    }
  }

  @Test("has exact statistics of large batches far from zero", arguments: Vectors.offered)
  func statistics(vectors: Vectors) throws {
    let row = Row(
      vectors: vectors, shape: [96, 18, 40, 40], block: 18, activation: nil, threads: 2)
    let x = random(row.shape, 999...1001)
    let count = Double(row.shape.elementCount / 18)
    let strides = ChannelBlocks(row.shape, block: 18)
    let images = GuardedFloats(strides.laidOut(x))
    let (mean, variance) = (GuardedFloats(count: 18), GuardedFloats(count: 18))
    let ones = random([18], 1...1)
    forward(row.kernel, images, ones, ones, mean, variance)
    for channel in 0..<18 {
      var values: [Double] = []
      for image in 0..<96 {
        let plane = (image * 18 + channel) * 1600
        values += x.values[plane..<plane + 1600]
      }
      let average = values.reduce(0, +) / count
      var squares = 0.0
      for value in values { squares += (value - average) * (value - average) }
      let expected = squares / count
      #expect(mean.values[channel] == Float(average))
      #expect(abs(Double(variance.values[channel]) - expected) < 2e-7 * expected)
    }
  }

  private func forward(
    _ kernel: ActivatedNorm, _ x: GuardedFloats, _ scale: ReferenceTensor,
    _ offset: ReferenceTensor, _ mean: GuardedFloats, _ variance: GuardedFloats
  ) {
    var sums = [Double](repeating: .nan, count: kernel.sumCount)
    let (scale, offset) = (scale.values.map(Float.init), offset.values.map(Float.init))
    for thread in 0..<kernel.threads {
      kernel.measure(images: x.start, into: &sums, thread: thread)
    }
    for thread in 0..<kernel.threads {
      kernel.finish(sums: sums, mean: mean.start, variance: variance.start, thread: thread)
    }
    for thread in 0..<kernel.threads {
      kernel.run(
        images: x.start, scale: scale, offset: offset, mean: mean.start, variance: variance.start,
        into: x.start, thread: thread)
    }
  }

  private func backward(
    _ kernel: ActivatedNorm, _ y: GuardedFloats, _ vectors: [GuardedFloats], _ dy: GuardedFloats,
    _ dscale: GuardedFloats, _ doffset: GuardedFloats, _ dx: GuardedFloats
  ) {
    var sums = [Double](repeating: .nan, count: kernel.sumCount)
    let (scale, offset, variance) = (vectors[0].start, vectors[1].start, vectors[2].start)
    for thread in 0..<kernel.threads {
      kernel.sumGradients(
        y: y.start, scale: scale, offset: offset, dy: dy.start, into: &sums, thread: thread)
    }
    for thread in 0..<kernel.threads {
      kernel.finishGradients(
        sums: sums, scale: scale, dscale: dscale.start, doffset: doffset.start, thread: thread)
    }
    for thread in 0..<kernel.threads {
      kernel.gradient(
        y: y.start, scale: scale, offset: offset, variance: variance, dy: dy.start,
        dscale: dscale.start, doffset: doffset.start, dx: dx.start, thread: thread)
    }
  }

  private func random(_ shape: Shape, _ range: ClosedRange<Double>) -> ReferenceTensor {
    ReferenceTensor(
      TensorType(.float32, shape),
      rounding: (0..<shape.elementCount).map { _ in Double.random(in: range) })
  }

  private func expectClose(_ got: [Float], _ expected: [Double], _ what: String) {
    let largest = expected.reduce(0) { max($0, $1.magnitude) }
    var worst = 0.0
    for (one, other) in zip(got, expected) {
      let error = (Double(one) - other).magnitude
      worst = worst.isNaN || error <= worst ? worst : error
    }
    #expect(worst <= 1e-5 * largest, "\(what): \(worst) of \(largest)")
  }
}

extension ChannelBlocks {
  init(_ shape: Shape, block: Int) {
    let area = shape[2] * shape[3]
    self.init(
      image: area * shape[1], block: area * block, pixel: block, channels: Int32(block))
  }

  /// The place of an element of row-major index.
  private func offset(_ index: Int, _ shape: Shape) -> Int {
    let area = shape[2] * shape[3]
    let (channel, n) = (index / area % shape[1], index / area / shape[1])
    return n * image + channel / Int(channels) * block + index % area * pixel
      + channel % Int(channels)
  }

  func laidOut(_ tensor: ReferenceTensor) -> [Float] {
    var floats = [Float](repeating: .nan, count: tensor.values.count)
    for (index, value) in tensor.values.enumerated() {
      floats[offset(index, tensor.shape)] = Float(value)
    }
    return floats
  }

  func rowMajor(_ floats: GuardedFloats, _ shape: Shape) -> [Float] {
    (0..<shape.elementCount).map { floats.start[offset($0, shape)] }
  }
}
