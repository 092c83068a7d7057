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
  let conv1, conv2, conv3, conv4, conv5: ConvUnit
  let hidden: [Linear]
  let classifier: Linear
  let activation: Activation
  let dropout: Dropout
  let pool = MaxPool2D(kernel: 3, stride: 2, ceilMode: true)

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let activation = options.activation ?? .relu
    func unit(
      _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
      padding: WindowPadding = .half, groups: Int = 1
    ) -> ConvUnit {
      let conv = Conv2D(
        scope[name], inputs, outputs, kernel: kernel, stride: stride, padding: padding,
        groups: groups)
      return ConvUnit(conv, nil, activation)
    }
    conv1 = unit("conv1", 3, 96, kernel: 11, stride: 4, padding: 0)
    conv2 = unit("conv2", 96, 256, kernel: 5, groups: 2)
    conv3 = unit("conv3", 256, 384, kernel: 3)
    conv4 = unit("conv4", 384, 384, kernel: 3, groups: 2)
    conv5 = unit("conv5", 384, 256, kernel: 3, groups: 2)
    let features = 256 * 6 * 6
    switch options.head {
    case .full:
      hidden = [Linear(scope["fc6"], features, 4096), Linear(scope["fc7"], 4096, 4096)]
      classifier = Linear(scope["fc8"], 4096, options.classes)
    case .cut:
      hidden = []
      classifier = Linear(scope["fc"], features, options.classes)
    }
    self.activation = activation
    dropout = Dropout(scope, rate: options.dropout ?? 0.5)
  }

  /// `[n, 3, 227, 227] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    let normalization = LocalResponseNorm(size: 5, alpha: 1e-4, beta: 0.75, k: 1)
    var x = try localResponseNorm(pool(conv1(x)), normalization)  // [n, 96, 27, 27]
    x = try localResponseNorm(pool(conv2(x)), normalization)  // [n, 256, 13, 13]
    x = try pool(conv5(conv4(conv3(x)))).flattened()  // [n, 256·6·6]
    for layer in hidden { x = try dropout(layer(x).activated(activation)) }
    return try classifier(x)
  }
}

extension CaffeNet {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "caffenet", source: "Jia et al. 2014, arXiv 1408.5093",
      input: ImageInput(size: 227, cropFraction: 227.0 / 256, .caffe),
      options: [.head, .activation, .dropout]
    ) { scope, options in CaffeNet(scope, options) }
  ]
}
