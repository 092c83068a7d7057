// Caffe: Convolutional Architecture for Fast Feature Embedding
// Yangqing Jia, Evan Shelhamer, Jeff Donahue, Sergey Karayev, Jonathan Long, Ross Girshick, Sergio
// Guadarrama, Trevor Darrell, 2014 (https://arxiv.org/abs/1408.5093)
// after ImageNet Classification with Deep Convolutional Neural Networks
// Alex Krizhevsky, Ilya Sutskever, Geoffrey Hinton, 2012
// (https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks)
// Variant: BVLC's reference CaffeNet, which pools before it normalises (AlexNet normalises first).
// Parameters at 1000 classes: 60,965,224.
//
// Paths: conv1 … conv5, fc6, fc7, fc8 as in Caffe; `fc` with the head cut. A dot is an underscore
// in MXNet's names. The classifier fixes the image's size: sides of 199 to 230 pixels fit.
//
// Pictures: a crop of 227 from 256 pixels as in BVLC's prototxt, in red, green, blue because MXNet's
// converter exchanges the first convolution's channels; the mean is the one MXNet's gallery uses.

import ApusIR
import ApusNN
import ApusTensor

/// Five convolutions in up to two groups, and three fully connected layers.
public struct CaffeNet: Layer {
  let features: Body
  let hidden: [Linear]
  let classifier: Linear
  let activation: ActivationFunction
  let dropout: Dropout

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let activation = options.style(.relu).activation
    func unit(
      _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
      padding: WindowPadding = .half, groups: Int = 1
    ) -> ConvUnit {
      let conv = Conv2D(
        scope[name], inputs, outputs, kernel: kernel, stride: stride, padding: padding,
        groups: groups)
      return ConvUnit(conv, nil, activation)
    }
    let pool = MaxPool2D(kernel: 3, stride: 2, ceilMode: true)
    let norm = Applied {
      try localResponseNorm($0, LocalResponseNorm(size: 5, alpha: 1e-4, beta: 0.75, k: 1))
    }
    features = Body(
      scope,
      stages: [
        [unit("conv1", 3, 96, kernel: 11, stride: 4, padding: 0), pool, norm],
        [unit("conv2", 96, 256, kernel: 5, groups: 2), pool, norm],
        [
          unit("conv3", 256, 384, kernel: 3), unit("conv4", 384, 384, kernel: 3, groups: 2),
          unit("conv5", 384, 256, kernel: 3, groups: 2), pool,
        ],
      ], options.checkpoint)
    let values = 256 * 6 * 6
    switch options.head {
    case .full:
      hidden = [Linear(scope["fc6"], values, 4096), Linear(scope["fc7"], 4096, 4096)]
      classifier = Linear(scope["fc8"], 4096, options.classes)
    case .cut:
      hidden = []
      classifier = Linear(scope["fc"], values, options.classes)
    }
    self.activation = activation
    dropout = Dropout(scope, rate: options.dropout ?? 0.5)
  }

  /// `[n, 3, 227, 227] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    var x = try features(x).flattened()  // [n, 256·6·6]
    for layer in hidden { x = try dropout(activation(layer(x))) }
    return try classifier(x)
  }
}

extension CaffeNet {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "caffenet", source: "Jia et al. 2014, arXiv 1408.5093",
      input: ImageInput(size: 227, cropFraction: 227.0 / 256, .caffe),
      options: [.head, .activation, .checkpoint, .dropout]
    ) { scope, options in CaffeNet(scope, options) }
  ]
}
