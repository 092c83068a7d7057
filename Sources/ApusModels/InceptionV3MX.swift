// Rethinking the Inception Architecture for Computer Vision
// Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe, Jonathon Shlens, Zbigniew Wojna, 2015
// (https://arxiv.org/abs/1512.00567)
// Variant: MXNet's gallery: no auxiliary head, normalisation without scale (stored scales are
// ignored, 1 is used), eps 1e-3, valid padding in the stem except its third convolution, and the
// last module pools with the maximum where the one before averages.
// Parameters at 1000 classes: 23,834,568, the fixed scales included.
//
// Paths: MXNet's names with a dot between module, tower, unit and layer:
// mixed_4.tower_1.conv_2.conv2d.weight is mixed_4_tower_1_conv_2_conv2d_weight there.
//
// Pictures: (p - 128) / 128 of pixels in 0...255, as in the code that came with MXNet's weights; these
// were converted from TensorFlow's, which are evaluated on the middle seven eighths.

import ApusIR
import ApusNN
import ApusTensor

/// Inception modules with factorised convolutions.
public struct InceptionV3MX: Layer {
  let features: Body
  let fc: Linear

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let units = MixedUnits(style: options.style(.relu))
    func module(_ name: String, _ make: (MixedUnits, Scope) -> MixedModule) -> MixedModule {
      make(units, scope[name])
    }
    let stem: [[any Layer]] = [
      [
        units.make(scope["conv"], 3, 32, 3, stride: 2, padding: 0),
        units.make(scope["conv_1"], 32, 32, 3, padding: 0),
        units.make(scope["conv_2"], 32, 64, 3),
        MaxPool2D(kernel: 3, stride: 2),
      ],
      [
        units.make(scope["conv_3"], 64, 80, 1),
        units.make(scope["conv_4"], 80, 192, 3, padding: 0),
        MaxPool2D(kernel: 3, stride: 2),
      ],
    ]
    let large = [
      module("mixed") { $0.square($1, 192, projection: 32) },
      module("mixed_1") { $0.square($1, 256, projection: 64) },
      module("mixed_2") { $0.square($1, 288, projection: 64) },
    ]
    var middle = [module("mixed_3") { $0.squareReduction($1, 288) }]
    for (index, width) in [128, 160, 160, 192].enumerated() {
      middle.append(module("mixed_\(4 + index)") { $0.factorized($1, 768, width) })
    }
    let small = [
      module("mixed_8") { $0.factorizedReduction($1, 768) },
      module("mixed_9") { $0.forked($1, 1280, NeighbourAverage()) },
      module("mixed_10") {
        $0.forked($1, 2048, MaxPool2D(kernel: 3, stride: 1, padding: .half))
      },
    ]
    features = Body(scope, stages: stem + [large, middle, small], options.checkpoint)
    fc = Linear(scope["fc1"], 2048, options.classes)
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try fc(globalAveragePool(features(x)))
  }
}

/// Chains of layers side by side, their channels one after the other.
private struct MixedModule: Layer {
  let branches: [[any Layer]]

  init(_ branches: [any Layer]...) { self.branches = branches }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try concatenate(
      branches.map { branch in
        var y = x
        for layer in branch { y = try layer(y) }
        return y
      })
  }
}

private struct MixedUnits {
  let style: UnitStyle

  func make(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, _ kernel: Size2D, stride: Int = 1,
    padding: WindowPadding = .half
  ) -> ConvUnit {
    ConvUnit(
      Conv2D(
        scope["conv2d"], inputs, outputs, kernel: kernel, stride: stride, padding: padding,
        bias: false),
      style.norm(scope["batchnorm"], outputs, epsilon: 1e-3, fixesScale: true),
      style.activation)
  }

  func make(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, _ kernel: Int, stride: Int = 1,
    padding: WindowPadding = .half
  ) -> ConvUnit {
    make(scope, inputs, outputs, Size2D(kernel), stride: stride, padding: padding)
  }

  /// The paper's figure 5, with one 5×5 convolution: 224 channels and the projection's.
  func square(_ scope: Scope, _ inputs: Int, projection: Int) -> MixedModule {
    let (five, three) = (scope["tower"], scope["tower_1"])
    return MixedModule(
      [make(scope["conv"], inputs, 64, 1)],
      [make(five["conv"], inputs, 48, 1), make(five["conv_1"], 48, 64, 5)],
      [
        make(three["conv"], inputs, 64, 1), make(three["conv_1"], 64, 96, 3),
        make(three["conv_2"], 96, 96, 3),
      ],
      [NeighbourAverage(), make(scope["tower_2"]["conv"], inputs, projection, 1)])
  }

  /// Half the size: 480 channels and the input's.
  func squareReduction(_ scope: Scope, _ inputs: Int) -> MixedModule {
    let tower = scope["tower"]
    return MixedModule(
      [make(scope["conv"], inputs, 384, 3, stride: 2, padding: 0)],
      [
        make(tower["conv"], inputs, 64, 1), make(tower["conv_1"], 64, 96, 3),
        make(tower["conv_2"], 96, 96, 3, stride: 2, padding: 0),
      ],
      [MaxPool2D(kernel: 3, stride: 2)])
  }

  /// The paper's figure 6: 7×7 convolutions as rows and columns.
  func factorized(_ scope: Scope, _ inputs: Int, _ width: Int) -> MixedModule {
    let (row, column) = (Size2D(1, 7), Size2D(7, 1))
    let (once, twice) = (scope["tower"], scope["tower_1"])
    return MixedModule(
      [make(scope["conv"], inputs, 192, 1)],
      [
        make(once["conv"], inputs, width, 1), make(once["conv_1"], width, width, row),
        make(once["conv_2"], width, 192, column),
      ],
      [
        make(twice["conv"], inputs, width, 1), make(twice["conv_1"], width, width, column),
        make(twice["conv_2"], width, width, row), make(twice["conv_3"], width, width, column),
        make(twice["conv_4"], width, 192, row),
      ],
      [NeighbourAverage(), make(scope["tower_2"]["conv"], inputs, 192, 1)])
  }

  /// Half the size: 512 channels and the input's.
  func factorizedReduction(_ scope: Scope, _ inputs: Int) -> MixedModule {
    let (three, seven) = (scope["tower"], scope["tower_1"])
    return MixedModule(
      [
        make(three["conv"], inputs, 192, 1),
        make(three["conv_1"], 192, 320, 3, stride: 2, padding: 0),
      ],
      [
        make(seven["conv"], inputs, 192, 1), make(seven["conv_1"], 192, 192, Size2D(1, 7)),
        make(seven["conv_2"], 192, 192, Size2D(7, 1)),
        make(seven["conv_3"], 192, 192, 3, stride: 2, padding: 0),
      ],
      [MaxPool2D(kernel: 3, stride: 2)])
  }

  /// The paper's figure 7: 3×3 convolutions as a row beside a column.
  func forked(_ scope: Scope, _ inputs: Int, _ pooling: any Layer) -> MixedModule {
    let (short, long) = (scope["tower"], scope["tower_1"])
    func fork(_ tower: Scope, _ inputs: Int) -> MixedModule {
      MixedModule(
        [make(tower["mixed_conv"], inputs, 384, Size2D(1, 3))],
        [make(tower["mixed_conv_1"], inputs, 384, Size2D(3, 1))])
    }
    return MixedModule(
      [make(scope["conv"], inputs, 320, 1)],
      [make(short["conv"], inputs, 384, 1), fork(short, 384)],
      [
        make(long["conv"], inputs, 448, 1), make(long["conv_1"], 448, 384, 3), fork(long, 384),
      ],
      [pooling, make(scope["tower_2"]["conv"], inputs, 192, 1)])
  }
}

extension InceptionV3MX {
  /// The family's entry in the catalogue, which takes pixels in -1...1.
  public static let models = [
    Model(
      "inception_v3_mx", source: "Szegedy et al. 2015, arXiv 1512.00567",
      input: ImageInput(
        size: 299, channels: 3, cropFraction: 0.875,
        mean: [Double](repeating: 128.0 / 255, count: 3),
        standardDeviation: [Double](repeating: 128.0 / 255, count: 3)),
      options: [.head, .activation, .norm, .checkpoint]
    ) { scope, options in InceptionV3MX(scope, options) }
  ]
}
