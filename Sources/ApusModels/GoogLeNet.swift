// Going Deeper with Convolutions
// Christian Szegedy et al., 2014 (https://arxiv.org/abs/1409.4842)
// Variant: torchvision's, with batch normalisation and 3×3 convolutions where the paper has 5×5.
// Its auxiliary classifiers `aux1` and `aux2` serve training and are not built. Its published
// weights take images with mean and standard deviation 0.5 (`transform_input`).
// Parameters at 1000 classes: googlenet 6,624,904.

import ApusIR
import ApusNN
import ApusTensor

/// A stem of three convolutions and nine inception modules.
public struct GoogLeNet: Layer {
  let features: Body
  let classifier: Chain

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let factory = InceptionUnits(style: options.style(.relu))
    let pool = MaxPool2D(kernel: 3, stride: 2, ceilMode: true)
    var stages: [[any Layer]] = [
      [factory.make(scope["conv1"], 3, 64, kernel: 7, stride: 2, padding: .half), pool],
      [
        factory.make(scope["conv2"], 64, 64, kernel: 1),
        factory.make(scope["conv3"], 64, 192, kernel: 3, padding: .half), pool,
      ],
    ]
    var channels = 192
    for module in Self.modules {
      var layers: [any Layer] = [
        factory.inception(scope["inception\(module.name)"], channels, module)
      ]
      channels = module.outputs
      switch module.name {
      case "3b": layers.append(pool)
      case "4e": layers.append(MaxPool2D(kernel: 2, stride: 2, ceilMode: true))
      default: break
      }
      if module.name.hasSuffix("a") { stages.append([]) }
      stages[stages.count - 1] += layers
    }
    features = Body(scope, stages: stages, options.checkpoint)
    classifier = options.classifier(scope["fc"], channels, dropout: 0.2)
  }

  /// `[n, 3, h, w] → [n, classes]`, with 31 or more rows and columns.
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    try classifier(globalAveragePool(features(x)))
  }

  /// The output channels of a module's convolutions (the paper's table 1).
  fileprivate struct Module {
    let name: String
    let direct, reduced3, deep3, reduced5, deep5, pooled: Int

    init(
      _ name: String, _ direct: Int, _ reduced3: Int, _ deep3: Int, _ reduced5: Int,
      _ deep5: Int, _ pooled: Int
    ) {
      self.name = name
      self.direct = direct
      self.reduced3 = reduced3
      self.deep3 = deep3
      self.reduced5 = reduced5
      self.deep5 = deep5
      self.pooled = pooled
    }

    var outputs: Int { direct + deep3 + deep5 + pooled }
  }

  fileprivate static let modules = [
    Module("3a", 64, 96, 128, 16, 32, 32),
    Module("3b", 128, 128, 192, 32, 96, 64),
    Module("4a", 192, 96, 208, 16, 48, 64),
    Module("4b", 160, 112, 224, 24, 64, 64),
    Module("4c", 128, 128, 256, 24, 64, 64),
    Module("4d", 112, 144, 288, 32, 64, 64),
    Module("4e", 256, 160, 320, 32, 128, 128),
    Module("5a", 256, 160, 320, 32, 128, 128),
    Module("5b", 384, 192, 384, 48, 128, 128),
  ]
}

extension InceptionUnits {
  fileprivate func inception(
    _ scope: Scope, _ inputs: Int, _ module: GoogLeNet.Module
  ) -> Branches {
    func deep(_ name: String, _ reduced: Int, _ outputs: Int) -> Chain {
      Chain([
        make(scope[name][0], inputs, reduced, kernel: 1),
        make(scope[name][1], reduced, outputs, kernel: 3, padding: .half),
      ])
    }
    return Branches([
      make(scope["branch1"], inputs, module.direct, kernel: 1),
      deep("branch2", module.reduced3, module.deep3),
      deep("branch3", module.reduced5, module.deep5),
      Chain([
        MaxPool2D(kernel: 3, stride: 1, padding: 1, ceilMode: true),
        make(scope["branch4"][1], inputs, module.pooled, kernel: 1),
      ]),
    ])
  }
}

extension GoogLeNet {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "googlenet", source: "Szegedy et al. 2014, arXiv 1409.4842",
      input: ImageInput(.centered),
      options: [.head, .activation, .norm, .checkpoint, .dropout]
    ) { scope, options in GoogLeNet(scope, options) }
  ]
}
