// Gradient-Based Learning Applied to Document Recognition
// Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner, 1998
// (https://doi.org/10.1109/5.726791)
// Variant: MXNet's lenet for handwritten digits of 28×28 grey pixels: unpadded 5×5 convolutions to
// 20 and 50 channels, hyperbolic tangents, maximum pooling, 500 hidden values.
// Parameters at 10 classes: lenet 431,080.
//
// mlp: MXNet's multi-layer perceptron for the same digits, 784–128–64–classes with rectifiers.
// Parameters at 10 classes: mlp 109,386.
//
// Neither has a twin in torchvision or timm; paths are conv1, conv2, fc1, fc2 and fc1, fc2, fc3.

import ApusIR
import ApusNN
import ApusTensor

/// Two convolutions with pooling and two fully connected layers.
public struct LeNet: Layer {
  let features: Body
  let classifier: Chain

  public init(_ scope: Scope, _ options: NetworkOptions = Digits.options) {
    let activation = options.style(.tanh).activation
    let pool = MaxPool2D(kernel: 2, stride: 2)
    func unit(_ name: String, _ inputs: Int, _ outputs: Int) -> ConvUnit {
      ConvUnit(Conv2D(scope[name], inputs, outputs, kernel: 5, padding: 0), nil, activation)
    }
    features = Body(
      scope, stages: [[unit("conv1", 1, 20), pool], [unit("conv2", 20, 50), pool]],
      options.checkpoint)
    classifier = Chain([
      Applied { try $0.flattened() },
      Linear(scope["fc1"], 50 * 4 * 4, 500), Applied(activation),
      Linear(scope["fc2"], 500, options.classes),
    ])
  }

  /// `[n, 1, 28, 28] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor { try classifier(features(x)) }
}

/// Three fully connected layers.
public struct MultilayerPerceptron: Layer {
  let layers: Chain

  public init(_ scope: Scope, _ options: NetworkOptions = Digits.options) {
    let activation = options.style(.relu).activation
    layers = Chain([
      Applied { try $0.flattened() },
      Linear(scope["fc1"], 28 * 28, 128), Applied(activation),
      Linear(scope["fc2"], 128, 64), Applied(activation),
      Linear(scope["fc3"], 64, options.classes),
    ])
  }

  /// `[n, 1, 28, 28] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor { try layers(x) }
}

/// The networks for handwritten digits.
public enum Digits {
  /// Ten classes where none are asked for.
  public static let options = NetworkOptions(classes: 10)

  private static let input = ImageInput(
    size: 28, channels: 1, cropFraction: 1, mean: [0], standardDeviation: [1])

  /// Their entries in the catalogue.
  public static let models = [
    Model(
      "lenet", source: "LeCun et al. 1998, doi 10.1109/5.726791; as in MXNet", input: input,
      classes: options.classes, options: [.activation, .checkpoint]
    ) { scope, options in LeNet(scope, options) },
    Model(
      "mlp", source: "MXNet's example, 784–128–64", input: input, classes: options.classes,
      options: [.activation]
    ) { scope, options in MultilayerPerceptron(scope, options) },
  ]
}
