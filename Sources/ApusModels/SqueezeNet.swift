// SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size
// Forrest N. Iandola, Song Han, Matthew W. Moskewicz, Khalid Ashraf, William J. Dally,
// Kurt Keutzer, 2016 (https://arxiv.org/abs/1602.07360)
// Variant: the authors' version 1.1, as in torchvision, on images of 227 pixels.
// Parameters at 1000 classes: squeezenet1_1 1,235,496. A cut head keeps the convolution to 1000
// channels and adds `fc` from them.

import ApusIR
import ApusNN
import ApusTensor

/// Fire modules, and a convolution to the classes.
public struct SqueezeNet: Layer {
  let features: Body
  let dropout: Dropout
  let classifier: ConvUnit
  let fc: Linear?

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let activation = options.style(.relu).activation
    let place = scope["features"]
    func fire(_ index: Int, _ inputs: Int, _ squeezed: Int, _ expanded: Int) -> Fire {
      Fire(place[index], inputs, squeezed: squeezed, expanded: expanded, activation)
    }
    let pool = MaxPool2D(kernel: 3, stride: 2, ceilMode: true)
    let stem = ConvUnit(
      Conv2D(place[0], 3, 64, kernel: 3, stride: 2, padding: 0), nil, activation)
    features = Body(
      scope,
      stages: [
        [stem, pool], [fire(3, 64, 16, 64), fire(4, 128, 16, 64), pool],
        [fire(6, 128, 32, 128), fire(7, 256, 32, 128), pool],
        [
          fire(9, 256, 48, 192), fire(10, 384, 48, 192), fire(11, 384, 64, 256),
          fire(12, 512, 64, 256),
        ],
      ], options.checkpoint)
    let head = scope["classifier"]
    let cuts = options.head == .cut
    dropout = Dropout(head[0], rate: options.dropout ?? 0.5)
    classifier = ConvUnit(
      Conv2D(head[1], 512, cuts ? 1000 : options.classes, kernel: 1), nil, activation)
    fc = cuts ? Linear(scope["fc"], 1000, options.classes) : nil
  }

  /// `[n, 3, h, w] → [n, classes]`, with 25 or more rows and columns.
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    let means = try globalAveragePool(classifier(dropout(features(x))))
    return try fc.map { try $0(means) } ?? means
  }
}

/// A 1×1 convolution to few channels, then 1×1 and 3×3 side by side.
private struct Fire: Layer {
  let squeeze: ConvUnit
  let expand: Branches

  init(
    _ scope: Scope, _ inputs: Int, squeezed: Int, expanded: Int, _ activation: ActivationFunction
  ) {
    func unit(_ name: String, _ inputs: Int, _ outputs: Int, kernel: Int) -> ConvUnit {
      ConvUnit(Conv2D(scope[name], inputs, outputs, kernel: kernel), nil, activation)
    }
    squeeze = unit("squeeze", inputs, squeezed, kernel: 1)
    expand = Branches([
      unit("expand1x1", squeezed, expanded, kernel: 1),
      unit("expand3x3", squeezed, expanded, kernel: 3),
    ])
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor { try expand(squeeze(x)) }
}

extension SqueezeNet {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "squeezenet1_1", source: "Iandola et al. 2016, arXiv 1602.07360; v1.1",
      input: ImageInput(size: 227, cropFraction: 227.0 / 256),
      options: [.head, .activation, .checkpoint, .dropout]
    ) { scope, options in SqueezeNet(scope, options) }
  ]
}
