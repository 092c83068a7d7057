import ApusIR
import ApusReference
import ApusTestSupport
import CKernels

/// A convolution with its operands: `[n, c, h, w]`, `[o, c/groups, kh, kw]`, `[o]`, and of a result's
/// shape; the scale `[n, c]` multiplies the images first.
struct DirectLayer {
  var convolution = Convolution()
  let images, filters: ReferenceTensor
  var bias, residual, scale: ReferenceTensor?
  var activation: Activation?

  static let activations: [Activation?] = [
    nil, .relu, .relu6, .leakyRelu(slope: 0.1), .elu(alpha: 0.7), .sigmoid, .hardSigmoid, .swish,
    .hardSwish, .mish,
  ]

  init(_ convolution: Convolution = Convolution(), images: Shape, filters: Shape, seed: UInt64) {
    var tensors = RandomTensors(seed: seed)
    self.init(
      convolution, on: ReferenceTensor(tensors.tensor(images)).float64, filters: filters,
      seed: seed &+ 1)
  }

  init(_ convolution: Convolution, on images: ReferenceTensor, filters: Shape, seed: UInt64) {
    var tensors = RandomTensors(seed: seed)
    self.convolution = convolution
    self.images = images
    self.filters = ReferenceTensor(tensors.tensor(filters)).float64
  }

  var shape: Shape {
    let (images, filters) = (images.shape, filters.shape)
    let (padding, stride) = (convolution.padding, convolution.stride)
    return [
      images[0], filters[0],
      (images[2] + padding.top + padding.bottom - filters[2]) / stride.height + 1,
      (images[3] + padding.left + padding.right - filters[3]) / stride.width + 1,
    ]
  }

  /// Random bias, residual, scale or none.
  mutating func addOperands(
    residual hasResidual: Bool, scale hasScale: Bool, using generator: inout SplitMix64
  ) {
    var tensors = RandomTensors(seed: generator.next())
    if Bool.random(using: &generator) {
      bias = ReferenceTensor(tensors.tensor([filters.shape[0]])).float64
    }
    if hasResidual { residual = ReferenceTensor(tensors.tensor(shape)).float64 }
    if hasScale {
      scale = ReferenceTensor(tensors.tensor([images.shape[0], images.shape[1]])).float64
    }
  }

  /// Sums before the activation, in float64.
  var sums: ReferenceTensor {
    let type = TensorType(.float64, shape)
    var images = images
    if let scale {
      let area = images.shape[2] * images.shape[3]
      let scaled = images.values.enumerated().map { $1 * scale.values[$0 / area] }
      images = ReferenceTensor(images.type, rounding: scaled)
    }
    let operands = [images, filters] + (bias.map { [$0] } ?? [])
    let direct = Op.convolution(convolution).evaluate(operands, resultTypes: [type])
    guard let residual else { return direct[0] }
    return Op.binary(.add).evaluate([direct[0], residual], resultTypes: [type])[0]
  }

  func activated(_ sums: ReferenceTensor) -> ReferenceTensor {
    guard let activation else { return sums }
    return Op.activation(activation).evaluate([sums], resultTypes: [sums.type])[0]
  }

  /// The largest error of outputs in units of the largest sum, at least of one; NaN if one of them
  /// is NaN.
  func error(of outputs: [Float]) -> Double {
    let sums = sums
    let errors = zip(activated(sums).values, outputs).map { ($0 - Double($1)).magnitude }
    return errors.contains { $0.isNaN } ? .nan : (errors.max() ?? 0) / max(1, sums.largest)
  }
}

/// Images with neighbouring channels somewhere in memory, NaN in all that lies between.
struct PixelImages: Sendable {
  let strides: PixelStrides
  let memory: GuardedFloats
  private let offsets: [Int]

  /// - Parameters:
  ///   - gaps: floats between pixels, rows and images.
  init(_ shape: Shape, gaps: (Int, Int, Int) = (0, 0, 0)) {
    let pixel = shape[1] + gaps.0
    let row = shape[3] * pixel + gaps.1
    strides = PixelStrides(image: shape[2] * row + gaps.2, row: row, pixel: pixel)
    let strides = strides
    offsets = (0..<shape.elementCount).map { index in
      let (column, i) = (index % shape[3], index / shape[3] % shape[2])
      let plane = index / (shape[2] * shape[3])
      return plane / shape[1] * strides.image + i * strides.row + column * strides.pixel
        + plane % shape[1]
    }
    // It ends with the last channel: what lies behind it traps.
    memory = GuardedFloats(count: (offsets.max() ?? 0) + 1)
  }

  init(_ tensor: ReferenceTensor, gaps: (Int, Int, Int) = (0, 0, 0)) {
    self.init(tensor.shape, gaps: gaps)
    write(tensor)
  }

  func write(_ tensor: ReferenceTensor) {
    for (offset, value) in zip(offsets, tensor.values) { memory.start[offset] = Float(value) }
  }

  /// The elements in row-major order.
  var values: [Float] { offsets.map { memory.start[$0] } }

  /// Whether nothing was written around and between the channels.
  var isIntact: Bool {
    let values = memory.values
    let beside = Set(values.indices).subtracting(offsets)
    return memory.isIntact && beside.allSatisfy { values[$0].isNaN }
  }
}

extension GuardedFloats {
  convenience init(_ tensor: ReferenceTensor) { self.init(tensor.values.map { Float($0) }) }
}
