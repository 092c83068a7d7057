// Deep Residual Learning for Image Recognition
// Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun, 2015 (https://arxiv.org/abs/1512.03385)
// Variant: v1.5 as in torchvision, where a bottleneck's stride is on its 3×3 convolution.
// Parameters at 1000 classes: resnet18 11,689,512; resnet34 21,797,672 (with the deep stem
// 21,816,904); resnet50 25,557,032; resnet101 44,549,160; resnet152 60,192,808.
//
// Aggregated Residual Transformations for Deep Neural Networks
// Saining Xie, Ross Girshick, Piotr Dollár, Zhuowen Tu, Kaiming He, 2017
// (https://arxiv.org/abs/1611.05431)
// Variant: torchvision's ResNeXt, the same network with grouped 3×3 convolutions.
// Parameters: resnext50_32x4d 25,028,904; resnext101_32x8d 88,791,336; resnext101_64x4d
// 83,455,272.
//
// Squeeze-and-Excitation Networks
// Jie Hu, Li Shen, Samuel Albanie, Gang Sun, Enhua Wu, 2018 (https://arxiv.org/abs/1709.01507)
// Variants: timm's seresnext50_32x4d, and legacy_seresnext50_32x4d with the stem pooling of the
// authors' Caffe network (3×3, no padding, last windows may hang over) and paths of its own.
// Parameters of both: 27,559,896.

import ApusIR
import ApusNN
import ApusTensor

/// A residual network with batch normalisation after each convolution.
public struct ResNet: Layer {
  /// What a stage is made of.
  public enum Block: Sendable {
    /// Two 3×3 convolutions.
    case basic
    /// 1×1, 3×3, 1×1; the last has four times the channels.
    case bottleneck

    /// A block's output channels per channel of its stage.
    var expansion: Int {
      switch self {
      case .basic: 1
      case .bottleneck: 4
      }
    }
  }

  /// The block, how many of it each of the four stages has, and what is inside.
  public struct Variant: Sendable {
    public var block: Block
    public var depths: [Int]
    public var groups: Int
    /// Channels of a group of the 3×3 convolutions, in the first stage.
    public var widthPerGroup: Int
    public var squeezesAndExcites: Bool
    /// Whether the stem pools as Caffe does and parameters have the names that timm's SENets have.
    public var followsCaffe: Bool

    public init(
      _ block: Block, _ depths: [Int], groups: Int = 1, widthPerGroup: Int = 64,
      squeezesAndExcites: Bool = false, followsCaffe: Bool = false
    ) {
      self.block = block
      self.depths = depths
      self.groups = groups
      self.widthPerGroup = widthPerGroup
      self.squeezesAndExcites = squeezesAndExcites
      self.followsCaffe = followsCaffe
    }
  }

  let features: Body
  let fc: Linear

  public init(_ scope: Scope, _ variant: Variant, _ options: NetworkOptions = NetworkOptions()) {
    let units = UnitFactory(
      style: options.style(.relu), padding: options.padding, zeroesBranch: options.zeroesBranch)
    let stem: [any Layer]
    switch options.stem {
    case .standard:
      let names = variant.followsCaffe ? scope["layer0"] : scope
      let pooling =
        variant.followsCaffe && options.padding == nil
        ? MaxPool2D(kernel: 3, stride: 2, ceilMode: true)
        : MaxPool2D(kernel: 3, stride: 2, padding: options.padding == .same ? .same : .half)
      stem = [
        units.make(names["conv1"], names["bn1"], 3, 64, kernel: 7, stride: 2), pooling,
      ]
    case .deep:  // named as in timm
      let conv = scope["conv1"]
      stem = [
        units.make(conv[0], conv[1], 3, 32, kernel: 3, stride: 2),
        units.make(conv[3], conv[4], 32, 32, kernel: 3, stride: 2),
        units.make(conv[6], scope["bn1"], 32, 64, kernel: 3),
      ]
    }
    var stages = [stem]
    var channels = 64
    for (stage, depth) in variant.depths.enumerated() {
      var blocks: [any Layer] = []
      for index in 0..<depth {
        let block = ResidualBlock(
          scope["layer\(stage + 1)"][index], variant, units, inputs: channels, stage: stage,
          stride: stage > 0 && index == 0 ? 2 : 1, activatesBranch: options.activatesBranch)
        blocks.append(block)
        channels = block.outputs
      }
      stages.append(blocks)
    }
    features = Body(scope, stages: stages, options.checkpoint)
    fc = Linear(
      scope[variant.followsCaffe ? "last_linear" : "fc"], channels, options.classes)
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try fc(globalAveragePool(features(x)))
  }
}

/// Makes the units of one network, which share a style and a way of padding.
struct UnitFactory {
  let style: UnitStyle
  let padding: NetworkOptions.PaddingMode?
  let zeroesBranch: Bool

  /// A convolution without bias, its normalisation, and the activation unless `activates` is false.
  ///
  /// - Parameter endsBranch: whether a sum follows.
  func make(
    _ conv: Scope, _ norm: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    groups: Int = 1, activates: Bool = true, endsBranch: Bool = false
  ) -> ConvUnit {
    ConvUnit(
      Conv2D(
        conv, inputs, outputs, kernel: kernel, stride: stride,
        padding: padding == .same ? .same : .half, groups: groups, bias: false),
      style.norm(norm, outputs, startsAtZero: endsBranch && zeroesBranch),
      activates ? style.activation : .identity)
  }
}

/// Convolutions beside an identity or, where the shape changes, a 1×1 projection.
private struct ResidualBlock: Layer {
  let units: [ConvUnit]
  let excitation: SqueezeExcitation?
  let projection: ConvUnit?
  let activation: ActivationFunction
  let outputs: Int

  init(
    _ scope: Scope, _ variant: ResNet.Variant, _ factory: UnitFactory, inputs: Int, stage: Int,
    stride: Int, activatesBranch: Bool
  ) {
    outputs = (64 << stage) * variant.block.expansion
    switch variant.block {
    case .basic:
      units = [
        factory.make(
          scope["conv1"], scope["bn1"], inputs, outputs, kernel: 3, stride: stride),
        factory.make(
          scope["conv2"], scope["bn2"], outputs, outputs, kernel: 3, activates: activatesBranch,
          endsBranch: true),
      ]
    case .bottleneck:
      let width = (variant.widthPerGroup << stage) * variant.groups
      units = [
        factory.make(scope["conv1"], scope["bn1"], inputs, width, kernel: 1),
        factory.make(
          scope["conv2"], scope["bn2"], width, width, kernel: 3, stride: stride,
          groups: variant.groups),
        factory.make(
          scope["conv3"], scope["bn3"], width, outputs, kernel: 1, activates: activatesBranch,
          endsBranch: true),
      ]
    }
    let squeeze = scope[variant.followsCaffe ? "se_module" : "se"]
    excitation =
      variant.squeezesAndExcites
      ? SqueezeExcitation(
        reduce: squeeze["fc1"], expand: squeeze["fc2"], outputs, squeezed: outputs / 16,
        activation: factory.style.activation) : nil
    let shortcut = scope["downsample"]
    projection =
      inputs != outputs || stride != 1
      ? factory.make(
        shortcut[0], shortcut[1], inputs, outputs, kernel: 1, stride: stride, activates: false)
      : nil
    activation = factory.style.activation
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    var y = x
    for unit in units { y = try unit(y) }
    if let excitation { y = try excitation(y) }
    let shortcut = try projection.map { try $0(x) } ?? x
    return try activation(y + shortcut)
  }
}

extension ResNet {
  /// The family's entries in the catalogue.
  public static let models: [Model] = [
    ("resnet18", Variant(.basic, [2, 2, 2, 2])),
    ("resnet34", Variant(.basic, [3, 4, 6, 3])),
    ("resnet50", Variant(.bottleneck, [3, 4, 6, 3])),
    ("resnet101", Variant(.bottleneck, [3, 4, 23, 3])),
    ("resnet152", Variant(.bottleneck, [3, 8, 36, 3])),
    ("resnext50_32x4d", Variant(.bottleneck, [3, 4, 6, 3], groups: 32, widthPerGroup: 4)),
    ("resnext101_32x8d", Variant(.bottleneck, [3, 4, 23, 3], groups: 32, widthPerGroup: 8)),
    ("resnext101_64x4d", Variant(.bottleneck, [3, 4, 23, 3], groups: 64, widthPerGroup: 4)),
    (
      "seresnext50_32x4d",
      Variant(
        .bottleneck, [3, 4, 6, 3], groups: 32, widthPerGroup: 4, squeezesAndExcites: true)
    ),
    (
      "legacy_seresnext50_32x4d",
      Variant(
        .bottleneck, [3, 4, 6, 3], groups: 32, widthPerGroup: 4, squeezesAndExcites: true,
        followsCaffe: true)
    ),
  ].map { name, variant in
    Model(
      name, source: source(of: variant),
      input: ImageInput(interpolation: name == "seresnext50_32x4d" ? .bicubic : .bilinear),
      options: [
        .head, .activation, .norm, .checkpoint, .stem, .padding, .branchActivation, .zeroBranch,
      ]
    ) { scope, options in ResNet(scope, variant, options) }
  }

  private static func source(of variant: Variant) -> String {
    if variant.squeezesAndExcites { return "Hu et al. 2018, arXiv 1709.01507" }
    return variant.groups > 1
      ? "Xie et al. 2017, arXiv 1611.05431" : "He et al. 2015, arXiv 1512.03385; v1.5"
  }
}
