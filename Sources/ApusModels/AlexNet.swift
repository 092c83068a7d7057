// One weird trick for parallelizing convolutional neural networks
// Alex Krizhevsky, 2014 (https://arxiv.org/abs/1404.5997)
// Variant: torchvision's, of one column and without local response normalisation.
// Parameters at 1000 classes: alexnet 61,100,840. A cut head is `fc` on 256·6·6 values.

import ApusIR
import ApusNN
import ApusTensor

/// Five convolutions and three fully connected layers.
public struct AlexNet: Layer {
  let features: Body
  let classifier: Chain

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let activation = options.style(.relu).activation
    let place = scope["features"]
    func unit(_ index: Int, _ inputs: Int, _ outputs: Int, kernel: Int = 3) -> ConvUnit {
      ConvUnit(Conv2D(place[index], inputs, outputs, kernel: kernel), nil, activation)
    }
    let pool = MaxPool2D(kernel: 3, stride: 2)
    let stem = ConvUnit(
      Conv2D(place[0], 3, 64, kernel: 11, stride: 4, padding: 2), nil, activation)
    features = Body(
      scope,
      stages: [
        [stem, pool], [unit(3, 64, 192, kernel: 5), pool],
        [unit(6, 192, 384), unit(8, 384, 256), unit(10, 256, 256), pool],
      ], options.checkpoint)
    let head = scope["classifier"]
    func dropout(_ index: Int) -> Dropout {
      Dropout(head[index], rate: options.dropout ?? 0.5)
    }
    let values = 256 * 6 * 6
    classifier =
      options.head == .cut
      ? options.classifier(scope["fc"], values)
      : Chain([
        dropout(0), Linear(head[1], values, 4096), Applied(activation),
        dropout(3), Linear(head[4], 4096, 4096), Applied(activation),
        Linear(head[6], 4096, options.classes),
      ])
  }

  /// `[n, 3, h, w] → [n, classes]`, with 63 or more rows and columns.
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try classifier(Applied.flattened(averagedTo: 6)(features(x)))
  }
}

extension AlexNet {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "alexnet", source: "Krizhevsky 2014, arXiv 1404.5997",
      options: [.head, .activation, .checkpoint, .dropout]
    ) { scope, options in AlexNet(scope, options) }
  ]
}
