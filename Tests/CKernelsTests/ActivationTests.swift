import ApusIR
import ApusReference
import CKernels
import Testing

@Suite("Activations in registers")
struct ActivationTests {
  /// What a kernel's activation makes of numbers: a 1×1 convolution that multiplies them by one.
  private func apply(_ activation: Activation, _ x: [Float], _ vectors: Vectors) -> [Float] {
    var kernel = Pointwise()
    kernel.vectors = vectors
    (kernel.images, kernel.inputs, kernel.height, kernel.width) = (1, 1, 1, Int32(x.count))
    kernel.outputs = vectors.rawValue
    let outputs = Int(kernel.outputs)
    kernel.source = PixelStrides(image: x.count, row: x.count, pixel: 1)
    kernel.destination = PixelStrides(
      image: x.count * outputs, row: x.count * outputs, pixel: outputs)
    (kernel.activation, kernel.parameter) = activation.fused
    kernel.threads = 1
    let source = GuardedFloats(x)
    let ones = GuardedFloats(count: outputs, repeating: 1)
    let filters = GuardedFloats(count: kernel.filterCount)
    kernel.pack(filters: ones.start, into: filters.start, thread: 0, of: 1)
    let destination = GuardedFloats(count: x.count * outputs)
    let scratch = GuardedFloats(count: (kernel.scratchSize + 3) / 4)
    kernel.run(
      source: source.start, filters: filters.start, bias: nil, scale: nil, residual: nil,
      destination: destination.start, scratch: scratch.start, thread: 0)
    return x.indices.map { destination.start[$0 * outputs] }
  }

  /// 2.2e-7 was seen of a hundredth of all numbers, 3.6e-7 with Mish. Below `floor`, where
  /// differences cancel, errors are measured by that.
  private func check(
    _ activation: Activation, _ range: ClosedRange<Float>, floor: Double = 0, _ vectors: Vectors
  ) {
    let x = (0..<20000).map { _ in Float.random(in: range) }
    let type = TensorType(.float64, [x.count])
    let exact = Op.activation(activation).evaluate(
      [ReferenceTensor(type, rounding: x.map { Double($0) })], resultTypes: [type])[0]
    let got = apply(activation, x, vectors)
    let worst =
      zip(exact.values, got).map { exact, got in
        (Double(got) - exact).magnitude / max(exact.magnitude, floor)
      }.max() ?? .nan
    #expect(worst <= 5e-7, "\(activation) in \(range)")
  }

  @Test("have a relative error of a few units in the last place", arguments: Vectors.offered)
  func errors(vectors: Vectors) {
    for range: ClosedRange<Float> in [-86 ... -20, -20...20, -1...1, -0.001...0.001, 20...200] {
      check(.swish, range, vectors)
      check(.sigmoid, range, vectors)
      check(.hardSwish, range, floor: 1, vectors)
      check(.hardSigmoid, range, floor: 1, vectors)
      check(.elu(alpha: 0.7), range, floor: 1, vectors)
    }
    check(.mish, -86...200, floor: 1e-30, vectors)
  }

  @Test("keep zero, NaN and infinities", arguments: Vectors.offered)
  func limits(vectors: Vectors) {
    for activation in DirectLayer.activations.compactMap({ $0 }) {
      let isSigmoid = activation == .sigmoid || activation == .hardSigmoid
      let got = apply(
        activation, [0, .nan, -.nan, .infinity, .greatestFiniteMagnitude, 0, 100], vectors)
      #expect(got[0] == (isSigmoid ? 0.5 : 0), "\(activation)")
      #expect(got[1].isNaN && got[2].isNaN, "\(activation)")
      let limit: Float = isSigmoid ? 1 : activation == .relu6 ? 6 : .infinity
      #expect(got[3] == limit, "\(activation)")
      #expect(got[4] == min(limit, .greatestFiniteMagnitude), "\(activation)")
      #expect(got[6] == min(limit, 100), "\(activation)")
    }
    let low: [Float] = [-.infinity, -.greatestFiniteMagnitude, -1000]
    for activation: Activation in [.relu, .relu6, .sigmoid, .hardSigmoid, .swish] {
      #expect(apply(activation, low, vectors).allSatisfy { $0.magnitude < 1e-35 }, "\(activation)")
    }
    #expect(apply(.elu(alpha: 0.7), low, vectors).allSatisfy { $0 == -0.7 })
  }
}
