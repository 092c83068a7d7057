// Identity Mappings in Deep Residual Networks
// Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun, 2016 (https://arxiv.org/abs/1603.05027)
// Variant: MXNet's gallery, normalisation and activation before each convolution, stride on the
// 3×3 one, a shortcut of the first activated input without normalisation in every stage's first
// unit. Parameters at 1000 classes: resnet18_v2 11,691,950; resnet34_v2 21,800,110; resnet50_v2
// 25,549,486; resnet101_v2 44,541,614; resnet152_v2 60,185,262; resnet200_v2 64,666,286.
//
// Aggregated Residual Transformations for Deep Neural Networks
// Saining Xie, Ross Girshick, Piotr Dollár, Zhuowen Tu, Kaiming He, 2017
// (https://arxiv.org/abs/1611.05431)
// Variant: MXNet's gallery, normalisation after each convolution. Parameters: resnext50_mx
// 25,028,910; resnext101_mx 44,177,710; resnext101_64x4d_mx 83,455,278.
//
// All normalise the raw image first, with a scale fixed at 1 (its 3 stored values count as
// parameters), and all have eps 2e-5.
//
// Paths: MXNet's names with a dot after stage and unit: stage1.unit2.conv3.weight is
// stage1_unit2_conv3_weight there, and stage1.unit1.sc (with sc_bn) is the shortcut.
//
// Pictures: crops of 224 from 256 pixels in 0...255, from which the normalisation of the raw image
// takes the mean of the pre-activation networks; the ResNeXts' weights want the mean 123.68, 116.779,
// 103.939 subtracted before.

import ApusIR
import ApusNN
import ApusTensor

/// A residual network as MXNet's gallery has them.
public struct GalleryResNet: Layer {
  public struct Variant: Sendable {
    public enum Block: Sendable { case basic, bottleneck }

    public var block: Block
    public var depths: [Int]
    public var order: ConvUnit.Order
    public var groups: Int
    /// Channels of a bottleneck's 3×3 convolution, as the unit's outputs divided by this.
    public var narrowing: Int
    /// After how many of its stages' units each segment ends that training computes again, and the
    /// last one where the network does, unless it is asked to keep all.
    public var segments: [Int]

    public init(
      _ block: Block, _ depths: [Int], order: ConvUnit.Order = .normBefore, groups: Int = 1,
      narrowing: Int = 4, segments: [Int] = []
    ) {
      self.block = block
      self.depths = depths
      self.order = order
      self.groups = groups
      self.narrowing = narrowing
      self.segments = segments
    }
  }

  let features: Body
  let fc: Linear

  public init(_ scope: Scope, _ variant: Variant, _ options: NetworkOptions = NetworkOptions()) {
    let style = options.style(.relu)
    let factory = GalleryUnits(variant: variant, style: style)
    let stem: [any Layer] = [
      // The images are nobody's to overwrite.
      BatchNorm2D(scope["bn_data"], 3, epsilon: epsilon, fixesScale: true),
      ConvUnit(
        Conv2D(scope["conv0"], 3, 64, kernel: 7, stride: 2, bias: false),
        style.norm(scope["bn0"], 64, epsilon: epsilon), style.activation),
      MaxPool2D(kernel: 3, stride: 2, padding: .half),
    ]
    var stages = [stem]
    var channels = 64
    for (stage, depth) in variant.depths.enumerated() {
      let outputs = (variant.block == .basic ? 64 : 256) << stage
      var units: [any Layer] = []
      for index in 0..<depth {
        let unit = scope["stage\(stage + 1)"]["unit\(index + 1)"]
        units.append(
          factory.unit(
            unit, channels, outputs, stride: stage > 0 && index == 0 ? 2 : 1, projects: index == 0))
        channels = outputs
      }
      stages.append(units)
    }
    if variant.order == .normBefore {
      let norm = style.norm(scope["bn1"], channels, epsilon: epsilon)
      stages[variant.depths.count].append(Applied { try norm($0, style.activation) })
    }
    features = Body(
      scope, stages: stages, options.checkpoint,
      ownSegments: variant.segments.map { stem.count + $0 })
    fc = Linear(scope["fc1"], channels, options.classes)
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try fc(globalAveragePool(features(x)))
  }
}

private let epsilon = 2e-5

private struct GalleryUnits {
  let variant: GalleryResNet.Variant
  let style: UnitStyle

  func unit(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, stride: Int, projects: Bool
  ) -> any Layer {
    let shortcut =
      projects
      ? Conv2D(scope["sc"], inputs, outputs, kernel: 1, stride: stride, bias: false) : nil
    let convolutions = self.convolutions(scope, inputs, outputs, stride: stride)
    switch variant.order {
    case .normBefore:
      let first = style.norm(scope["bn1"], inputs, epsilon: epsilon)
      let rest = convolutions.dropFirst().map { conv, width, index in
        let norm = style.norm(scope["bn\(index)"], width.inputs, epsilon: epsilon)
        return ConvUnit(conv, norm, style.activation, order: .normBefore)
      }
      return PreActivationUnit(
        norm: first, activation: style.activation, first: convolutions[0].conv, rest: rest,
        shortcut: shortcut)
    case .normAfter:
      let units = convolutions.map { conv, width, index in
        let norm = style.norm(scope["bn\(index)"], width.outputs, epsilon: epsilon)
        return ConvUnit(conv, norm, index < convolutions.count ? style.activation : .identity)
      }
      let projection = shortcut.map { conv in
        ConvUnit(conv, style.norm(scope["sc_bn"], outputs, epsilon: epsilon), .identity)
      }
      return PostActivationUnit(units: units, projection: projection, activation: style.activation)
    }
  }

  private typealias Numbered = (
    conv: Conv2D, width: (inputs: Int, outputs: Int), index: Int
  )

  private func convolutions(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, stride: Int
  ) -> [Numbered] {
    func conv(
      _ index: Int, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1
    ) -> Numbered {
      let conv = Conv2D(
        scope["conv\(index)"], inputs, outputs, kernel: kernel, stride: stride, groups: groups,
        bias: false)
      return (conv, (inputs, outputs), index)
    }
    switch variant.block {
    case .basic:
      return [
        conv(1, inputs, outputs, kernel: 3, stride: stride),
        conv(2, outputs, outputs, kernel: 3),
      ]
    case .bottleneck:
      let width = outputs / variant.narrowing
      return [
        conv(1, inputs, width, kernel: 1),
        conv(2, width, width, kernel: 3, stride: stride, groups: variant.groups),
        conv(3, width, outputs, kernel: 1),
      ]
    }
  }
}

/// Normalisation, activation, convolution; the shortcut takes the first activated value.
private struct PreActivationUnit: Layer {
  let norm: BatchNorm2D
  let activation: ActivationFunction
  let first: Conv2D
  let rest: [ConvUnit]
  let shortcut: Conv2D?

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let activated = try norm(x, activation)
    var y = try first(activated)
    for unit in rest { y = try unit(y) }
    return try y + (shortcut.map { try $0(activated) } ?? x)
  }
}

/// Convolution, normalisation, activation; the last activation follows the sum.
private struct PostActivationUnit: Layer {
  let units: [ConvUnit]
  let projection: ConvUnit?
  let activation: ActivationFunction

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    var y = x
    for unit in units { y = try unit(y) }
    return try activation(y + (projection.map { try $0(x) } ?? x))
  }
}

extension GalleryResNet {
  /// The family's entries in the catalogue.
  public static let models: [Model] = [
    ("resnet18_v2", Variant(.basic, [2, 2, 2, 2])),
    ("resnet34_v2", Variant(.basic, [3, 4, 6, 3])),
    ("resnet50_v2", Variant(.bottleneck, [3, 4, 6, 3])),
    ("resnet101_v2", Variant(.bottleneck, [3, 4, 23, 3])),
    ("resnet152_v2", Variant(.bottleneck, [3, 8, 36, 3])),
    (
      "resnet200_v2",
      Variant(
        .bottleneck, [3, 24, 36, 3],
        // Stage 1: 2. Stage 2: 2, 7, 12, 17, 22. Stage 3: 4, 13, 22, 31.
        segments: [2] + [2, 7, 12, 17, 22].map { 3 + $0 } + [4, 13, 22, 31].map { 27 + $0 })
    ),
    (
      "resnext50_mx",
      Variant(.bottleneck, [3, 4, 6, 3], order: .normAfter, groups: 32, narrowing: 2)
    ),
    (
      "resnext101_mx",
      Variant(.bottleneck, [3, 4, 23, 3], order: .normAfter, groups: 32, narrowing: 2)
    ),
    (
      "resnext101_64x4d_mx",
      Variant(.bottleneck, [3, 4, 23, 3], order: .normAfter, groups: 64, narrowing: 1)
    ),
  ].map { name, variant in
    let isPreActivation = variant.order == .normBefore
    return Model(
      name,
      source: isPreActivation
        ? "He et al. 2016, arXiv 1603.05027" : "Xie et al. 2017, arXiv 1611.05431",
      input: ImageInput(isPreActivation ? .raw : .caffe),
      options: [.head, .activation, .norm, .checkpoint]
    ) { scope, options in GalleryResNet(scope, variant, options) }
  }
}
