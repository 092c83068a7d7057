// Network In Network
// Min Lin, Qiang Chen, Shuicheng Yan, 2013 (https://arxiv.org/abs/1312.4400)
// Variant: the authors' network for ImageNet as in Caffe's model zoo and MXNet's gallery: no
// normalisation, ReLU after every convolution, also the last. Parameters at 1000 classes: 7,595,176.
//
// The last pooling is over the whole image: 6×6 at 224 pixels, for which it was published. A cut
// head keeps the 1000 channels and adds a fully connected layer `fc` from them to the classes.
//
// Paths: Caffe's names (conv1, cccp1, …, conv4_1024, cccp7_1024, cccp8_1024), which are MXNet's.
//
// Pictures: a crop of 224 from 256 pixels, less the mean that MXNet's gallery subtracts from them.

import ApusIR
import ApusNN
import ApusTensor

/// Convolutions that alternate with 1×1 ones, and the mean of a channel per class.
public struct NIN: Layer {
  let features: Body
  let classifier: Linear?

  public init(_ scope: Scope, _ options: NetworkOptions = NetworkOptions()) {
    let activation = options.style(.relu).activation
    func unit(
      _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 1, stride: Int = 1,
      padding: WindowPadding = .half
    ) -> ConvUnit {
      let conv = Conv2D(
        scope[name], inputs, outputs, kernel: kernel, stride: stride, padding: padding)
      return ConvUnit(conv, nil, activation)
    }
    let channels = options.head == .cut ? 1000 : options.classes
    let pool = MaxPool2D(kernel: 3, stride: 2, ceilMode: true)
    let stages: [[any Layer]] = [
      [
        unit("conv1", 3, 96, kernel: 11, stride: 4, padding: 0),
        unit("cccp1", 96, 96), unit("cccp2", 96, 96), pool,
      ],
      [
        unit("conv2", 96, 256, kernel: 5),
        unit("cccp3", 256, 256), unit("cccp4", 256, 256), pool,
      ],
      [
        unit("conv3", 256, 384, kernel: 3),
        unit("cccp5", 384, 384), unit("cccp6", 384, 384), pool,
      ],
      [
        Dropout(scope, rate: options.dropout ?? 0.5), unit("conv4_1024", 384, 1024, kernel: 3),
        unit("cccp7_1024", 1024, 1024), unit("cccp8_1024", 1024, channels),
      ],
    ]
    features = Body(scope, stages: stages, options.checkpoint)
    classifier =
      options.head == .cut ? Linear(scope["fc"], channels, options.classes) : nil
  }

  /// `[n, 3, h, w] → [n, classes]`
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    let means = try globalAveragePool(features(x))
    return try classifier?(means) ?? means
  }
}

extension NIN {
  /// The family's entry in the catalogue.
  public static let models = [
    Model(
      "nin", source: "Lin et al. 2013, arXiv 1312.4400", input: ImageInput(.caffe),
      options: [.head, .activation, .checkpoint, .dropout]
    ) { scope, options in NIN(scope, options) }
  ]
}
