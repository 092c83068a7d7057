// MobileNetV2: Inverted Residuals and Linear Bottlenecks
// Mark Sandler, Andrew Howard, Menglong Zhu, Andrey Zhmoginov, Liang-Chieh Chen, 2018
// (https://arxiv.org/abs/1801.04381)
// Variant: torchvision's, width 1.
// Parameters at 1000 classes: mobilenet_v2 3,504,872.

import ApusIR
import ApusNN
import ApusTensor

/// Inverted residuals: wide depthwise convolutions between narrow 1×1 ones.
public struct MobileNetV2: Layer {
  let features: Body
  let classifier: Chain

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let style = options.style(.relu6)
    let place = scope["features"]
    func unit(_ index: Int, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int) -> ConvUnit {
      ConvUnit(
        Conv2D(
          place[index][0], inputs, outputs, kernel: kernel, stride: stride, bias: false),
        style.norm(place[index][1], outputs), style.activation)
    }
    var stages: [[any Layer]] = [[unit(0, 3, 32, kernel: 3, stride: 2)]]
    var (position, channels) = (1, 32)
    for (expansion, outputs, depth, stride) in Self.stages {
      var blocks: [any Layer] = []
      for index in 0..<depth {
        blocks.append(
          InvertedResidual(
            place[position]["conv"], channels, outputs, expansion: expansion,
            stride: index == 0 ? stride : 1, style))
        (position, channels) = (position + 1, outputs)
      }
      stages.append(blocks)
    }
    stages[Self.stages.count].append(unit(position, channels, 1280, kernel: 1, stride: 1))
    features = Body(scope, stages: stages, options.checkpoint)
    classifier = options.classifier(scope["classifier"][1], 1280, dropout: 0.2)
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try classifier(globalAveragePool(features(x)))
  }

  /// How many blocks each stage has.
  static var depths: [Int] { stages.map(\.depth) }

  /// The paper's table 2.
  private static let stages: [(expansion: Int, outputs: Int, depth: Int, stride: Int)] = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
  ]
}

private struct InvertedResidual: Layer {
  let units: Chain
  let adds: Bool

  init(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, expansion: Int, stride: Int,
    _ style: UnitStyle
  ) {
    let width = inputs * expansion
    var units: [ConvUnit] = []
    if expansion > 1 {
      units.append(
        ConvUnit(
          Conv2D(scope[0][0], inputs, width, kernel: 1, bias: false),
          style.norm(scope[0][1], width), style.activation))
    }
    let depthwise = scope[units.count]
    units.append(
      ConvUnit(
        Conv2D(
          depthwise[0], width, width, kernel: 3, stride: stride, groups: width, bias: false),
        style.norm(depthwise[1], width), style.activation))
    units.append(
      ConvUnit(
        Conv2D(scope[units.count], width, outputs, kernel: 1, bias: false),
        style.norm(scope[units.count + 1], outputs), .identity))
    self.units = Chain(units)
    adds = stride == 1 && inputs == outputs
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let y = try units(x)
    return adds ? try x + y : y
  }
}

extension MobileNetV2 {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "mobilenet_v2", source: "Sandler et al. 2018, arXiv 1801.04381",
      options: [.head, .activation, .norm, .checkpoint, .dropout]
    ) { scope, options in MobileNetV2(scope, options) }
  ]
}
