// EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks
// Mingxing Tan, Quoc Le, 2019 (https://arxiv.org/abs/1905.11946)
// Variants: efficientnet_b0 to b3, timm's (symmetric padding, BN eps 1e-5 and momentum 0.1, nothing
// dropped), and tf_efficientnet_b0 to b3, the authors' TensorFlow network as in timm (SAME padding,
// BN eps 1e-3 and momentum 0.01, dropout 0.2, 0.2, 0.3, 0.3, drop-connect 0.2 in training).
// Parameters at 1000 classes: b0 5,288,548; b1 7,794,184; b2 9,109,994; b3 12,233,232.
//
// Paths are timm's. An activation option replaces swish everywhere, in the squeeze too.

import ApusIR
import ApusNN
import ApusTensor

/// Inverted residual blocks with squeeze-and-excitation, scaled in width and depth.
public struct EfficientNet: Layer {
  /// How much wider and deeper than b0, and whose padding and normalisation.
  public struct Variant: Sendable {
    public var width: Double
    public var depth: Double
    public var padding: NetworkOptions.PaddingMode
    public var epsilon: Double
    public var momentum: Double
    public var dropout: Double
    public var dropConnect: Double

    /// - Parameter followsTensorFlow: the authors' padding, normalisation and dropout.
    public init(width: Double, depth: Double, dropout: Double, followsTensorFlow: Bool) {
      self.width = width
      self.depth = depth
      padding = followsTensorFlow ? .same : .symmetric
      epsilon = followsTensorFlow ? 1e-3 : 1e-5
      momentum = followsTensorFlow ? 0.01 : 0.1
      self.dropout = followsTensorFlow ? dropout : 0
      dropConnect = followsTensorFlow ? 0.2 : 0
    }

    /// The next multiple of 8, but not less than nine tenths.
    func channels(_ base: Int) -> Int {
      let scaled = Double(base) * width
      let rounded = max(8, Int(scaled + 4) / 8 * 8)
      return Double(rounded) < 0.9 * scaled ? rounded + 8 : rounded
    }

    func repeats(_ base: Int) -> Int { Int((Double(base) * depth).rounded(.up)) }
  }

  let features: Body
  let dropout: Dropout
  let classifier: Linear

  public init(_ scope: Scope, _ variant: Variant, _ options: NetworkOptions = NetworkOptions()) {
    let units = EfficientNetUnits(
      variant, style: options.style(.swish), padding: options.padding ?? variant.padding)
    var channels = variant.channels(32)
    var stages: [[any Layer]] = [
      [units.make(scope["conv_stem"], scope["bn1"], 3, channels, kernel: 3, stride: 2)]
    ]
    let total = Self.stages.reduce(0) { $0 + variant.repeats($1.repeats) }
    let dropConnect = options.dropConnect ?? variant.dropConnect
    var count = 0
    for (index, stage) in Self.stages.enumerated() {
      var blocks: [any Layer] = []
      for number in 0..<variant.repeats(stage.repeats) {
        let outputs = variant.channels(stage.channels)
        let rate = dropConnect * Double(count) / Double(total)
        blocks.append(
          InvertedResidual(
            scope["blocks"][index][number], units, stage, inputs: channels, outputs: outputs,
            stride: number == 0 ? stage.stride : 1, dropConnect: rate))
        channels = outputs
        count += 1
      }
      stages.append(blocks)
    }
    let width = variant.channels(1280)
    stages[Self.stages.count].append(
      units.make(scope["conv_head"], scope["bn2"], channels, width, kernel: 1))
    features = Body(scope, stages: stages, options.checkpoint)
    dropout = Dropout(scope, rate: options.dropout ?? variant.dropout)
    // Fresh features are weak, and a bias as PyTorch's layers have would drown them; timm's is zero.
    classifier = Linear(
      scope["classifier"], width, options.classes, biasInitializer: .zeros)
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try classifier(dropout(globalAveragePool(features(x))))
  }

  /// A row of the paper's table 1.
  struct Stage {
    let expansion, kernel, stride, channels, repeats: Int
  }

  private static let stages = [
    Stage(expansion: 1, kernel: 3, stride: 1, channels: 16, repeats: 1),
    Stage(expansion: 6, kernel: 3, stride: 2, channels: 24, repeats: 2),
    Stage(expansion: 6, kernel: 5, stride: 2, channels: 40, repeats: 2),
    Stage(expansion: 6, kernel: 3, stride: 2, channels: 80, repeats: 3),
    Stage(expansion: 6, kernel: 5, stride: 1, channels: 112, repeats: 3),
    Stage(expansion: 6, kernel: 5, stride: 2, channels: 192, repeats: 4),
    Stage(expansion: 6, kernel: 3, stride: 1, channels: 320, repeats: 1),
  ]
}

/// Makes the convolutions of one network with their normalisation.
struct EfficientNetUnits {
  let style: UnitStyle
  let padding: WindowPadding
  let epsilon, momentum: Double

  init(
    _ variant: EfficientNet.Variant, style: UnitStyle, padding: NetworkOptions.PaddingMode
  ) {
    self.style = style
    self.padding = padding == .same ? .same : .half
    epsilon = variant.epsilon
    momentum = variant.momentum
  }

  func make(
    _ conv: Scope, _ norm: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    groups: Int = 1, activates: Bool = true
  ) -> ConvUnit {
    ConvUnit(
      Conv2D(
        conv, inputs, outputs, kernel: kernel, stride: stride, padding: padding, groups: groups,
        bias: false),
      style.norm(norm, outputs, epsilon: epsilon, momentum: momentum),
      activates ? style.activation : .identity)
  }
}

/// Expansion, a convolution per channel, squeeze-and-excitation, projection.
private struct InvertedResidual: Layer {
  let expansion: ConvUnit?
  let depthwise, projection: ConvUnit
  let excitation: SqueezeExcitation
  let dropConnect: Dropout?

  init(
    _ scope: Scope, _ units: EfficientNetUnits, _ stage: EfficientNet.Stage, inputs: Int,
    outputs: Int, stride: Int, dropConnect rate: Double
  ) {
    let expands = stage.expansion > 1
    let width = inputs * stage.expansion
    expansion =
      expands ? units.make(scope["conv_pw"], scope["bn1"], inputs, width, kernel: 1) : nil
    depthwise = units.make(
      scope["conv_dw"], scope[expands ? "bn2" : "bn1"], width, width, kernel: stage.kernel,
      stride: stride, groups: width)
    let squeeze = scope["se"]
    excitation = SqueezeExcitation(
      reduce: squeeze["conv_reduce"], expand: squeeze["conv_expand"], width,
      squeezed: max(1, inputs / 4), activation: units.style.activation)
    projection = units.make(
      scope[expands ? "conv_pwl" : "conv_pw"], scope[expands ? "bn3" : "bn2"], width, outputs,
      kernel: 1, activates: false)
    dropConnect =
      inputs == outputs && stride == 1 ? .connections(scope, rate: rate) : nil
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    var y = x
    if let expansion { y = try expansion(y) }
    y = try projection(excitation(depthwise(y)))
    guard let dropConnect else { return y }
    return try dropConnect(y) + x
  }
}

extension EfficientNet {
  /// The family's entries in the catalogue; sizes and crops are timm's.
  public static let models: [Model] = [false, true].flatMap { followsTensorFlow in
    scales.map { scale in
      Model(
        (followsTensorFlow ? "tf_" : "") + "efficientnet_\(scale.name)",
        source: "Tan and Le 2019, arXiv 1905.11946",
        input: followsTensorFlow ? scale.tensorFlowInput : scale.input,
        options: [.head, .activation, .norm, .checkpoint, .padding, .dropout, .dropConnect]
      ) { scope, options in
        let variant = Variant(
          width: scale.width, depth: scale.depth, dropout: scale.dropout,
          followsTensorFlow: followsTensorFlow)
        return EfficientNet(scope, variant, options)
      }
    }
  }

  private struct Scale: Sendable {
    let name: String
    let width, depth, dropout: Double
    let input, tensorFlowInput: ImageInput
  }

  private static func input(
    _ size: Int, crop: Double = 0.875, _ normalization: ImageInput.Normalization = .imagenet
  ) -> ImageInput {
    ImageInput(size: size, cropFraction: crop, interpolation: .bicubic, normalization)
  }

  private static let scales = [
    Scale(
      name: "b0", width: 1, depth: 1, dropout: 0.2, input: input(224),
      tensorFlowInput: input(224)),
    // timm's weights of efficientnet_b1 were trained on pixels in -1...1.
    Scale(
      name: "b1", width: 1, depth: 1.1, dropout: 0.2,
      input: input(240, crop: 0.9, .centered),
      tensorFlowInput: input(240, crop: 0.882)),
    Scale(
      name: "b2", width: 1.1, depth: 1.2, dropout: 0.3, input: input(256),
      tensorFlowInput: input(260, crop: 0.89)),
    Scale(
      name: "b3", width: 1.2, depth: 1.4, dropout: 0.3, input: input(288),
      tensorFlowInput: input(300, crop: 0.904)),
  ]
}
