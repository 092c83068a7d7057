// Searching for MobileNetV3
// Andrew Howard et al., 2019 (https://arxiv.org/abs/1905.02244)
// Variant: torchvision's large network, width 1.
// Parameters at 1000 classes: mobilenet_v3_large 5,483,032. A cut head is `fc` on 960 channels.

import ApusIR
import ApusNN
import ApusTensor

/// Inverted residuals with squeeze-excitation and hard-swish.
public struct MobileNetV3: Layer {
  let features, classifier: Chain

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let place = scope["features"]
    var layers: [any Layer] = [
      unit(place[0], 3, 16, kernel: 3, stride: 2, .hardSwish)
    ]
    var channels = 16
    for block in Self.blocks {
      layers.append(Bottleneck(place[layers.count]["block"], channels, block))
      channels = block.outputs
    }
    let width = 6 * channels
    layers.append(unit(place[layers.count], channels, width, kernel: 1, .hardSwish))
    features = Chain(layers)
    let head = scope["classifier"]
    classifier =
      options.head == .cut
      ? options.classifier(scope["fc"], width)
      : Chain([
        Linear(head[0], width, 1280), Applied(.hardSwish),
        Dropout(head[2], rate: options.dropout ?? 0.2), Linear(head[3], 1280, options.classes),
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
    let activation: Activation
    let stride: Int

    init(
      _ kernel: Int, _ width: Int, _ outputs: Int, squeezes: Bool, _ activation: Activation,
      stride: Int = 1
    ) {
      self.kernel = kernel
      self.width = width
      self.outputs = outputs
      self.squeezes = squeezes
      self.activation = activation
      self.stride = stride
    }
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

  init(_ scope: Scope, _ inputs: Int, _ block: MobileNetV3.Block) {
    let width = block.width
    var layers: [any Layer] = []
    if width != inputs {
      layers.append(unit(scope[0], inputs, width, kernel: 1, block.activation))
    }
    layers.append(
      unit(
        scope[layers.count], width, width, kernel: block.kernel, stride: block.stride,
        groups: width, block.activation))
    if block.squeezes {
      let squeeze = scope[layers.count]
      layers.append(
        SqueezeExcitation(
          reduce: squeeze["fc1"], expand: squeeze["fc2"], width,
          squeezed: multipleOfEight(near: width / 4), gate: .hardSigmoid))
    }
    layers.append(unit(scope[layers.count], width, block.outputs, kernel: 1, nil))
    self.layers = Chain(layers)
    adds = block.stride == 1 && inputs == block.outputs
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let y = try layers(x)
    return adds ? try y + x : y
  }
}

private func unit(
  _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
  _ activation: Activation?
) -> ConvUnit {
  ConvUnit(
    Conv2D(
      scope[0], inputs, outputs, kernel: kernel, stride: stride, groups: groups, bias: false),
    BatchNorm2D(scope[1], outputs, epsilon: 0.001, momentum: 0.01), activation)
}

/// Rounded to a multiple of eight, but not to less than nine tenths.
private func multipleOfEight(near count: Int) -> Int {
  let rounded = max(8, (count + 4) / 8 * 8)
  return rounded * 10 < count * 9 ? rounded + 8 : rounded
}

extension MobileNetV3 {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "mobilenet_v3_large", source: "Howard et al. 2019, arXiv 1905.02244",
      options: [.head, .dropout]
    ) { scope, options in MobileNetV3(scope, options) }
  ]
}
