import ApusIR
import ApusReference
import ApusTestSupport
import CKernels
import Testing

@Suite("Training norm")
struct TrainingNormTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let vectors: Vectors
    let shape: Shape
    let channelsLast: Bool
    let activation: Activation?
    let hasResidual: Bool
    let threads: Int

    var testDescription: String {
      "\(shape)\(channelsLast ? " channels-last" : ""), \(activation.map { "\($0)" } ?? "identity")"
        + "\(hasResidual ? " of a sum" : ""), \(threads) threads, \(vectors)"
    }

    /// Channels and pixels that fill vectors and stretches and that do not; threads with blocks of
    /// their own and without.
    static let all: [Row] = Vectors.offered.flatMap { vectors in
      [Shape([3, 37, 9, 8]), [2, 32, 21, 29], [1, 3, 4, 3], [2, 16, 5, 7]].flatMap { shape in
        [false, true].flatMap { channelsLast in
          [nil, Activation.relu, .relu6, .swish].flatMap { activation in
            [1, 2, 5].map { threads in
              Row(
                vectors: vectors, shape: shape, channelsLast: channelsLast,
                activation: activation, hasResidual: threads == 2, threads: threads)
            }
          }
        }
      }
    }

    var kernel: TrainingNorm {
      var kernel = TrainingNorm()
      kernel.vectors = vectors
      (kernel.images, kernel.channels) = (Int32(shape[0]), Int32(shape[1]))
      kernel.pixels = shape[2] * shape[3]
      kernel.strides = ImageStrides(shape, vectors, channelsLast: channelsLast)
      kernel.epsilon = 1e-3
      (kernel.activation, kernel.parameter) = activation?.fused ?? (.none, .nan)
      kernel.threads = Int32(threads)
      return kernel
    }

    func random(_ shape: Shape, _ range: ClosedRange<Double>) -> ReferenceTensor {
      let values = (0..<shape.elementCount).map { _ in Double(Float(Double.random(in: range))) }
      return ReferenceTensor(TensorType(.float64, shape), rounding: values)
    }

    func evaluate(_ op: Op, _ operands: [ReferenceTensor]) throws -> [ReferenceTensor] {
      op.evaluate(operands, resultTypes: try op.resultTypes(operands.map(\.type)))
    }

    func expectClose(_ values: [Float], _ expected: ReferenceTensor, _ name: Comment) {
      let largest = max(1e-3, expected.largest)
      let isClose = zip(values, expected.values).allSatisfy {
        (Double($0) - $1).magnitude <= 2e-5 * largest
      }
      #expect(isClose && values.count == expected.values.count, name)
    }

    func runAll(_ phases: Int32, _ body: (_ phase: Int32, _ thread: Int32) -> Void) {
      for phase in 0..<phases {
        for thread in (0..<Int32(threads)).shuffled() { body(phase, thread) }
      }
    }
  }

  @Test("and its gradients are the reference's", arguments: Row.all)
  func reference(row: Row) throws {
    let (shape, vectors, kernel) = (row.shape, row.vectors, row.kernel)
    let channels: Shape = [shape[1]]
    let x = row.random(shape, 2...6)
    let (scale, offset) = (row.random(channels, -1.5...1.5), row.random(channels, -1...1))
    let norm = try row.evaluate(
      .batchNormTraining(BatchNormTraining(epsilon: 1e-3)), [x, scale, offset])
    let residual = row.random(shape, -1...1)
    var expected = norm[0]
    if row.hasResidual { expected = try row.evaluate(.binary(.add), [expected, residual])[0] }
    if let activation = row.activation {
      expected = try row.evaluate(.activation(activation), [expected])[0]
    }
    #expect(kernel.isValid)
    let images = kernel.strides.laidOut(x, vectors)
    let (scales, offsets) = (GuardedFloats(scale), GuardedFloats(offset))
    let (mean, variance) = (GuardedFloats(count: channels[0]), GuardedFloats(count: channels[0]))
    let y = kernel.strides.laidOut(residual, vectors)
    let sums = GuardedScratch(sizeInBytes: 8 * kernel.sumCount)
    var given = TrainingNormChannels(
      scale: scales.start, offset: offsets.start, mean: mean.start, variance: variance.start)
    defer { withExtendedLifetime((scales, offsets)) {} }
    row.runAll(kernel.phases) { phase, thread in
      kernel.run(
        images: images.start, channels: &given, residual: row.hasResidual ? y.start : nil,
        into: y.start, sums: sums.doubles, phase: phase, thread: thread)
    }
    row.expectClose(kernel.strides.rowMajor(y, shape, vectors), expected, "y")
    row.expectClose(mean.values, norm[1], "mean")
    row.expectClose(variance.values, norm[2], "variance")
    sums.requireIntact()

    // None where rounding decides on which side of a bend (of ReLU, of ReLU6) a value lies.
    let dy = ReferenceTensor(
      TensorType(.float64, shape),
      rounding: zip(row.random(shape, -1...1).values, norm[0].values).map { gradient, value in
        min(abs(value), abs(value - 6)) < 1e-5 ? 0 : gradient
      })
    var dz = dy
    if let activation = row.activation {
      let inner = norm[0]
      let read =
        activation.gradientReads == .input
        ? inner : try row.evaluate(.activation(activation), [inner])[0]
      dz = try row.evaluate(.activationGradient(activation), [read, dy])[0]
    }
    let gradients = try row.evaluate(
      .batchNormGradient(BatchNormGradient(epsilon: 1e-3)), [x, scale, norm[1], norm[2], dz])
    for overwrites in [false, true] {
      let dys = kernel.strides.laidOut(dy, vectors)
      let dx = overwrites ? dys : GuardedFloats(count: dys.count, repeating: 0)
      let (dscale, doffset) = (
        GuardedFloats(count: channels[0]), GuardedFloats(count: channels[0])
      )
      row.runAll(kernel.phases) { phase, thread in
        kernel.gradient(
          images: images.start, channels: &given, dy: dys.start, dscale: dscale.start,
          doffset: doffset.start, dx: dx.start, sums: sums.doubles, phase: phase, thread: thread)
      }
      row.expectClose(kernel.strides.rowMajor(dx, shape, vectors), gradients[0], "dx")
      row.expectClose(dscale.values, gradients[1], "dscale")
      row.expectClose(doffset.values, gradients[2], "doffset")
      #expect(dx.isIntact && dscale.isIntact && doffset.isIntact)
      sums.requireIntact()
    }
  }

  @Test("keeps its precision where the mean is a thousand times the deviation")
  func farFromZero() throws {
    for vectors in Vectors.offered {
      let row = Row(
        vectors: vectors, shape: [2, 32, 40, 41], channelsLast: false, activation: nil,
        hasResidual: false, threads: 2)
      let x = row.random(row.shape, 999...1001)
      let (ones, zeros) = (row.random([32], 1...1), row.random([32], 0...0))
      let expected = try row.evaluate(
        .batchNormTraining(BatchNormTraining(epsilon: 1e-3)), [x, ones, zeros])
      let kernel = row.kernel
      let images = kernel.strides.laidOut(x, vectors)
      let (scale, offset) = (GuardedFloats(ones), GuardedFloats(zeros))
      let (mean, variance) = (GuardedFloats(count: 32), GuardedFloats(count: 32))
      let sums = GuardedScratch(sizeInBytes: 8 * kernel.sumCount)
      var given = TrainingNormChannels(
        scale: scale.start, offset: offset.start, mean: mean.start, variance: variance.start)
      defer { withExtendedLifetime((scale, offset, mean)) {} }
      row.runAll(kernel.phases) { phase, thread in
        kernel.run(
          images: images.start, channels: &given, residual: nil, into: images.start,
          sums: sums.doubles, phase: phase, thread: thread)
      }
      row.expectClose(variance.values, expected[2], "variance")
      let errors = zip(kernel.strides.rowMajor(images, row.shape, vectors), expected[0].values)
      #expect(errors.allSatisfy { (Double($0) - $1).magnitude < 1e-3 })
    }
  }

  @Test("refuses what it cannot compute")
  func refusals() {
    let row = Row(
      vectors: .widest, shape: [1, 3, 5, 5], channelsLast: true, activation: nil,
      hasResidual: false, threads: 1)
    #expect(row.kernel.isValid == (Vectors.widest != .none))
    let changes: [(inout TrainingNorm) -> Void] = [
      { $0.vectors = .none }, { $0.images = 0 }, { $0.channels = 0 }, { $0.pixels = 0 },
      { $0.threads = 0 }, { $0.activation = .mish },
    ]
    for (index, change) in changes.enumerated() {
      var kernel = row.kernel
      change(&kernel)
      #expect(!kernel.isValid, "change \(index)")
    }
  }
}
