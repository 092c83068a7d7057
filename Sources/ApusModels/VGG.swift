// Very Deep Convolutional Networks for Large-Scale Image Recognition
// Karen Simonyan, Andrew Zisserman, 2014 (https://arxiv.org/abs/1409.1556)
// Variant: torchvision's; configurations A, B, D and E, D also with batch normalisation after each
// convolution, which keeps its bias.
// Parameters at 1000 classes: vgg11 132,863,336; vgg13 133,047,848; vgg16 138,357,544; vgg16_bn
// 138,365,992; vgg19 143,667,240. A cut head is `fc` on 512·7·7 values, without fc6 and fc7.
//
// Order "pre" of vgg16_bn: units of normalisation, activation, convolution. The first convolution
// stands alone and the last normalisation and activation stay, so parameters are those of order
// "post", under the same paths; what changes is that pooling comes before them.

import ApusIR
import ApusNN
import ApusTensor

/// Stages of 3×3 convolutions with pooling between them, and three fully connected layers.
public struct VGG: Layer {
  /// The convolutions of each stage, and whether each is normalised.
  public struct Variant: Sendable {
    public var depths: [Int]
    public var normalizes: Bool

    public init(_ depths: [Int], normalizes: Bool = false) {
      self.depths = depths
      self.normalizes = normalizes
    }
  }

  let features: Body
  let classifier: Chain

  public init(_ scope: Scope, _ variant: Variant, _ options: NetworkOptions = NetworkOptions()) {
    let style = options.style(.relu)
    features = Body(
      scope,
      stages: Self.stages(
        scope["features"], variant, style, order: options.order ?? .normAfter),
      options.checkpoint)
    let head = scope["classifier"]
    func dropout(_ index: Int) -> Dropout {
      Dropout(head[index], rate: options.dropout ?? 0.5)
    }
    let values = 512 * 7 * 7
    classifier =
      options.head == .cut
      ? options.classifier(scope["fc"], values)
      : Chain([
        Linear(head[0], values, 4096), Applied(style.activation), dropout(2),
        Linear(head[3], 4096, 4096), Applied(style.activation), dropout(5),
        Linear(head[6], 4096, options.classes),
      ])
  }

  /// What lies between the poolings, each of which ends a stage.
  private static func stages(
    _ scope: Scope, _ variant: Variant, _ style: UnitStyle, order: NetworkOptions.Order
  ) -> [[any Layer]] {
    var stages: [[any Layer]] = []
    var pending: BatchNorm2D?  // comes, with its activation, before the next convolution
    var (index, inputs) = (0, 3)
    for (stage, depth) in variant.depths.enumerated() {
      let outputs = min(64 << stage, 512)
      var units: [any Layer] = []
      for _ in 0..<depth {
        let conv = Conv2D(scope[index], inputs, outputs, kernel: 3)
        let norm = variant.normalizes ? style.norm(scope[index + 1], outputs) : nil
        switch order {
        case .normAfter: units.append(ConvUnit(conv, norm, style.activation))
        case .normBefore:
          units.append(
            index == 0 ? conv : ConvUnit(conv, pending, style.activation, order: .normBefore))
          pending = norm
        }
        index += variant.normalizes ? 3 : 2
        inputs = outputs
      }
      stages.append(units + [MaxPool2D(kernel: 2, stride: 2)])
      index += 1
    }
    if let pending {
      stages[stages.count - 1].append(Applied { try pending($0, style.activation) })
    }
    return stages
  }

  /// `[n, 3, h, w] → [n, classes]`, with 32 or more rows and columns.
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try classifier(Applied.flattened(averagedTo: 7)(features(x)))
  }
}

extension VGG {
  /// The family's entries in the catalogue.
  public static let models: [Model] = [
    ("vgg11", Variant([1, 1, 2, 2, 2])),
    ("vgg13", Variant([2, 2, 2, 2, 2])),
    ("vgg16", Variant([2, 2, 3, 3, 3])),
    ("vgg16_bn", Variant([2, 2, 3, 3, 3], normalizes: true)),
    ("vgg19", Variant([2, 2, 4, 4, 4])),
  ].map { name, variant in
    Model(
      name, source: "Simonyan and Zisserman 2014, arXiv 1409.1556",
      options: Set(
        [.head, .activation, .checkpoint, .dropout]
          + (variant.normalizes ? [.norm, .order] : []))
    ) { scope, options in VGG(scope, variant, options) }
  }
}
