// Searching for MobileNetV3
// Andrew Howard et al., 2019 (https://arxiv.org/abs/1905.02244)
// Variants: mobilenet_v3_large, torchvision's large network of width 1 (BN eps 1e-3 and momentum
// 0.01, dropout 0.2), and mobilenetv3_large_100, timm's (BN eps 1e-5 and momentum 0.1, no dropout).
// Parameters at 1000 classes: 5,483,032 both. A cut head is `fc` on 960 channels.
//
// Paths of both are torchvision's.

import ApusIR
import ApusNN
import ApusTensor

/// Inverted residuals with squeeze-excitation and hard-swish.
public struct MobileNetV3: Layer {
  /// Whose normalisation and dropout.
  public struct Variant: Sendable {
    public var epsilon: Double
    public var momentum: Double
    public var dropout: Double

    public static let torchvision = Variant(epsilon: 1e-3, momentum: 0.01, dropout: 0.2)
    public static let timm = Variant(epsilon: 1e-5, momentum: 0.1, dropout: 0)
  }

  let features: Body
  let classifier: Chain

  public init(
    _ scope: Scope, _ variant: Variant = .torchvision,
    _ options: NetworkOptions = NetworkOptions()
  ) {
    let place = scope["features"]
    let units = MobileNetV3Units(variant: variant, options: options)
    var stages: [[any Layer]] = [[units.make(place[0], 3, 16, kernel: 3, stride: 2, .hardSwish)]]
    var channels = 16
    for (index, block) in Self.blocks.enumerated() {
      if index == 0 || block.stride == 2 { stages.append([]) }
      stages[stages.count - 1].append(
        Bottleneck(place[index + 1]["block"], units, channels, block))
      channels = block.outputs
    }
    let width = 6 * channels
    stages[stages.count - 1].append(
      units.make(place[Self.blocks.count + 1], channels, width, kernel: 1, .hardSwish))
    features = Body(scope, stages: stages, options.checkpoint)
    let head = scope["classifier"]
    classifier =
      options.head == .cut
      ? options.classifier(scope["fc"], width)
      : Chain([
        Linear(head[0], width, 1280), Applied(options.style(.hardSwish).activation),
        Dropout(head[2], rate: options.dropout ?? variant.dropout),
        Linear(head[3], 1280, options.classes, biasInitializer: .zeros),
      ])
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try classifier(globalAveragePool(features(x)))
  }

  /// A row of the paper's table 1.
  fileprivate struct Block {
    let kernel, width, outputs: Int
    let squeezes: Bool
    let activation: ActivationFunction
    let stride: Int

    init(
      _ kernel: Int, _ width: Int, _ outputs: Int, squeezes: Bool,
      _ activation: ActivationFunction, stride: Int = 1
    ) {
      self.kernel = kernel
      self.width = width
      self.outputs = outputs
      self.squeezes = squeezes
      self.activation = activation
      self.stride = stride
    }
  }

  /// How many blocks there are of each number of channels.
  static var depths: [Int] {
    var depths: [Int] = []
    for (index, block) in blocks.enumerated() {
      if index > 0, block.outputs == blocks[index - 1].outputs {
        depths[depths.count - 1] += 1
      } else {
        depths.append(1)
      }
    }
    return depths
  }

  fileprivate static let blocks = [
    Block(3, 16, 16, squeezes: false, .relu),
    Block(3, 64, 24, squeezes: false, .relu, stride: 2),
    Block(3, 72, 24, squeezes: false, .relu),
    Block(5, 72, 40, squeezes: true, .relu, stride: 2),
    Block(5, 120, 40, squeezes: true, .relu),
    Block(5, 120, 40, squeezes: true, .relu),
    Block(3, 240, 80, squeezes: false, .hardSwish, stride: 2),
    Block(3, 200, 80, squeezes: false, .hardSwish),
    Block(3, 184, 80, squeezes: false, .hardSwish),
    Block(3, 184, 80, squeezes: false, .hardSwish),
    Block(3, 480, 112, squeezes: true, .hardSwish),
    Block(3, 672, 112, squeezes: true, .hardSwish),
    Block(5, 672, 160, squeezes: true, .hardSwish, stride: 2),
    Block(5, 960, 160, squeezes: true, .hardSwish),
    Block(5, 960, 160, squeezes: true, .hardSwish),
  ]
}

private struct Bottleneck: Layer {
  let layers: Chain
  let adds: Bool

  init(
    _ scope: Scope, _ units: MobileNetV3Units, _ inputs: Int, _ block: MobileNetV3.Block
  ) {
    let width = block.width
    var layers: [any Layer] = []
    if width != inputs {
      layers.append(units.make(scope[0], inputs, width, kernel: 1, block.activation))
    }
    layers.append(
      units.make(
        scope[layers.count], width, width, kernel: block.kernel, stride: block.stride,
        groups: width, block.activation))
    if block.squeezes {
      let squeeze = scope[layers.count]
      layers.append(
        SqueezeExcitation(
          reduce: squeeze["fc1"], expand: squeeze["fc2"], width,
          squeezed: multipleOfEight(near: width / 4),
          activation: units.options.style(.relu).activation, gate: .hardSigmoid))
    }
    layers.append(units.make(scope[layers.count], width, block.outputs, kernel: 1, .identity))
    self.layers = Chain(layers)
    adds = block.stride == 1 && inputs == block.outputs
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let y = try layers(x)
    return adds ? try y + x : y
  }
}

/// Makes the convolutions of one network with their normalisation.
private struct MobileNetV3Units {
  let variant: MobileNetV3.Variant
  let options: NetworkOptions

  func make(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    groups: Int = 1, _ activation: ActivationFunction
  ) -> ConvUnit {
    let style = options.style(activation)
    return ConvUnit(
      Conv2D(
        scope[0], inputs, outputs, kernel: kernel, stride: stride, groups: groups, bias: false),
      style.norm(scope[1], outputs, epsilon: variant.epsilon, momentum: variant.momentum),
      activation == .identity ? .identity : style.activation)
  }
}

/// Rounded to a multiple of eight, but not to less than nine tenths.
private func multipleOfEight(near count: Int) -> Int {
  let rounded = max(8, (count + 4) / 8 * 8)
  return rounded * 10 < count * 9 ? rounded + 8 : rounded
}

extension MobileNetV3 {
  /// The family's entries in the catalogue; timm's resizes differently.
  public static let models = [
    Model(
      "mobilenet_v3_large", source: "Howard et al. 2019, arXiv 1905.02244",
      options: [.head, .activation, .norm, .checkpoint, .dropout]
    ) { scope, options in MobileNetV3(scope, .torchvision, options) },
    Model(
      "mobilenetv3_large_100", source: "Howard et al. 2019, arXiv 1905.02244",
      input: ImageInput(interpolation: .bicubic),
      options: [.head, .activation, .norm, .checkpoint, .dropout]
    ) { scope, options in MobileNetV3(scope, .timm, options) },
  ]
}
