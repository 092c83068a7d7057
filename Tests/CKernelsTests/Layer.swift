import ApusIR
import ApusReference
import ApusTestSupport
import CKernels

/// A convolution with its operands: `[n, c, h, w]`, `[o, c, r, s]` and `[o]`.
struct Layer {
  var padding: Padding2D
  let images, filters: ReferenceTensor
  var bias, residual: ReferenceTensor?
  var activation: Activation?

  private var graphOp: Op { .convolution(Convolution(padding: padding)) }

  /// `[n, o, h′, w′]`
  var shape: Shape {
    let (images, filters) = (images.shape, filters.shape)
    return [
      images[0], filters[0], images[2] + padding.top + padding.bottom - filters[2] + 1,
      images[3] + padding.left + padding.right - filters[3] + 1,
    ]
  }

  /// Sums before the activation, by a direct convolution in float64.
  var sums: ReferenceTensor {
    let type = TensorType(.float64, shape)
    let direct = graphOp.evaluate(
      [images, filters] + (bias.map { [$0] } ?? []), resultTypes: [type])
    guard let residual else { return direct[0] }
    return Op.binary(.add).evaluate([direct[0], residual], resultTypes: [type])[0]
  }

  func activated(_ sums: ReferenceTensor) -> ReferenceTensor {
    guard let activation else { return sums }
    return Op.activation(activation).evaluate([sums], resultTypes: [sums.type])[0]
  }

  /// The kernel's description of the layer, with images that lie one after the other.
  func kernel(
    _ vectors: Vectors, tile: Int, channelsLast: Bool = false, threads: Int = 1, chunk: Int = 0
  ) -> Winograd {
    var kernel = Winograd()
    kernel.vectors = vectors
    kernel.tile = Int32(tile)
    kernel.filterHeight = Int32(filters.shape[2])
    kernel.filterWidth = Int32(filters.shape[3])
    kernel.images = Int32(images.shape[0])
    kernel.inputs = Int32(images.shape[1])
    kernel.outputs = Int32(filters.shape[0])
    kernel.height = Int32(images.shape[2])
    kernel.width = Int32(images.shape[3])
    kernel.top = Int32(padding.top)
    kernel.left = Int32(padding.left)
    kernel.bottom = Int32(padding.bottom)
    kernel.right = Int32(padding.right)
    kernel.source = ImageStrides(images.shape, vectors, channelsLast: channelsLast)
    kernel.destination = ImageStrides(shape, vectors, channelsLast: channelsLast)
    kernel.threads = Int32(threads)
    kernel.chunk = Int32(chunk)
    (kernel.activation, kernel.parameter) = activation?.fused ?? (.none, .nan)
    return kernel
  }
}

extension Activation {
  /// The same for a kernel; NaN where it has no parameter.
  var fused: (FusedActivation, Float) {
    switch self {
    case .relu: (.relu, .nan)
    case .relu6: (.clippedRelu, 6)
    case .leakyRelu(let slope): (.leakyRelu, Float(slope))
    case .elu(let alpha): (.elu, Float(alpha))
    case .sigmoid: (.sigmoid, .nan)
    case .hardSigmoid: (.hardSigmoid, .nan)
    case .swish: (.swish, .nan)
    case .hardSwish: (.hardSwish, .nan)
    case .mish: (.mish, .nan)
    case .tanh: preconditionFailure("not an activation that is fused")
    }
  }
}

extension Layer {
  /// A layer with random sizes, operands and padding.
  static func random(
    filter: Size2D = Size2D(3), using generator: inout SplitMix64
  ) -> Layer {
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let (rows, columns) = (0...max(2, filter.height - 1), 0...max(2, filter.width - 1))
    let padding = Padding2D(
      top: pick(rows), left: pick(columns), bottom: pick(rows), right: pick(columns))
    let height = pick(max(1, filter.height - padding.top - padding.bottom)...14)
    let width = pick(max(1, filter.width - padding.left - padding.right)...14)
    return random(
      [pick(1...9), pick(1...40), height, width], outputs: pick(1...70), filter: filter, padding,
      seed: generator.next())
  }

  static func random(
    _ images: Shape, outputs: Int, filter: Size2D = Size2D(3),
    _ padding: Padding2D = Padding2D(1), seed: UInt64
  ) -> Layer {
    var tensors = RandomTensors(seed: seed)
    return Layer(
      padding: padding, images: ReferenceTensor(tensors.tensor(images)).float64,
      filters: ReferenceTensor(
        tensors.tensor([outputs, images[1], filter.height, filter.width])
      ).float64)
  }
}

extension ReferenceTensor {
  /// The same numbers as float64.
  var float64: ReferenceTensor { ReferenceTensor(TensorType(.float64, shape), rounding: values) }

  var largest: Double { values.reduce(0) { max($0, $1.magnitude) } }
}
