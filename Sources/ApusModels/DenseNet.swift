// Densely Connected Convolutional Networks
// Gao Huang, Zhuang Liu, Laurens van der Maaten, Kilian Q. Weinberger, 2016
// (https://arxiv.org/abs/1608.06993)
// Variant: DenseNet-BC as in torchvision, growth rate 32.
// Parameters at 1000 classes: densenet121 7,978,856; densenet169 14,149,480.

import ApusIR
import ApusNN
import ApusTensor

/// Blocks in which each layer takes the outputs of all layers before it.
public struct DenseNet: Layer {
  let features: Body
  let classifier: Linear

  /// - Parameter depths: the layers of each block.
  public init(_ scope: Scope, depths: [Int], _ options: NetworkOptions = NetworkOptions()) {
    let style = options.style(.relu)
    let growth = 32
    let place = scope["features"]
    let stem: [any Layer] = [
      ConvUnit(
        Conv2D(place["conv0"], 3, 64, kernel: 7, stride: 2, bias: false),
        style.norm(place["norm0"], 64), style.activation),
      MaxPool2D(kernel: 3, stride: 2, padding: 1),
    ]
    var stages = [stem]
    var channels = 64
    for (block, depth) in depths.enumerated() {
      var layers: [any Layer] = []
      let denseBlock = place["denseblock\(block + 1)"]
      for index in 0..<depth {
        layers.append(
          DenseLayer(
            denseBlock["denselayer\(index + 1)"], channels, growth: growth, style))
        channels += growth
      }
      if block < depths.count - 1 {
        let transition = place["transition\(block + 1)"]
        layers.append(
          preactivated(
            transition["conv"], transition["norm"], channels, channels / 2, kernel: 1, style))
        layers.append(Applied { try averagePool($0, kernel: 2, stride: 2) })
        channels /= 2
      }
      stages.append(layers)
    }
    let norm = style.norm(place["norm5"], channels)
    stages[depths.count].append(Applied { try norm($0, style.activation) })
    features = Body(scope, stages: stages, options.checkpoint)
    classifier = Linear(scope["classifier"], channels, options.classes)
  }

  /// `[n, 3, h, w] → [n, classes]`, with 29 or more rows and columns.
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try classifier(globalAveragePool(features(x)))
  }
}

/// Adds `growth` channels to its input's, through a 1×1 convolution to four times as many.
private struct DenseLayer: Layer {
  let convolutions: [ConvUnit]

  init(_ scope: Scope, _ inputs: Int, growth: Int, _ style: UnitStyle) {
    convolutions = [
      preactivated(
        scope["conv1"], scope["norm1"], inputs, 4 * growth, kernel: 1, style),
      preactivated(
        scope["conv2"], scope["norm2"], 4 * growth, growth, kernel: 3, style),
    ]
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    var y = x
    for convolution in convolutions { y = try convolution(y) }
    return try concatenate([x, y])
  }
}

private func preactivated(
  _ conv: Scope, _ norm: Scope, _ inputs: Int, _ outputs: Int, kernel: Int,
  _ style: UnitStyle
) -> ConvUnit {
  let norm = style.norm(norm, inputs)
  return ConvUnit(
    Conv2D(conv, inputs, outputs, kernel: kernel, bias: false), norm, style.activation,
    order: .normBefore)
}

extension DenseNet {
  /// The family's entries in the catalogue.
  public static let models: [Model] = [
    ("densenet121", [6, 12, 24, 16]), ("densenet169", [6, 12, 32, 32]),
  ].map { name, depths in
    Model(
      name, source: "Huang et al. 2016, arXiv 1608.06993",
      options: [.head, .activation, .norm, .checkpoint]
    ) { scope, options in DenseNet(scope, depths: depths, options) }
  }
}
