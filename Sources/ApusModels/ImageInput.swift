/// How pictures become a network's input.
public struct ImageInput: Hashable, Sendable {
  public enum Interpolation: String, Hashable, Sendable { case bilinear, bicubic }

  /// What is done to the values of pixels.
  public enum Normalization: String, Hashable, Sendable, CaseIterable {
    /// ImageNet's mean is subtracted and its standard deviation divided by, as torchvision and timm
    /// do (`transform_input=False` in torchvision's Inception and GoogLeNet).
    case imagenet
    /// Into -1...1, as Inception's authors do (`transform_input=True` there).
    case centered
    /// 0...255, from which ImageNet's mean is subtracted, as Caffe and MXNet's gallery do.
    case caffe
    /// 0...255 as they are.
    case raw
  }

  /// The side of the square, in pixels.
  public var size: Int
  public var channels: Int
  /// The side of the square relative to the resized picture's short side, from whose middle it is
  /// cropped.
  public var cropFraction: Double
  public var interpolation: Interpolation
  /// Per channel, of pixels in 0...1.
  public var mean: [Double]
  public var standardDeviation: [Double]

  /// The defaults are torchvision's for ImageNet.
  public init(
    size: Int = 224, cropFraction: Double = 224.0 / 256,
    interpolation: Interpolation = .bilinear, _ normalization: Normalization = .imagenet
  ) {
    self.init(
      size: size, channels: 3, cropFraction: cropFraction, interpolation: interpolation,
      mean: normalization.mean, standardDeviation: normalization.standardDeviation)
  }

  public init(
    size: Int, channels: Int, cropFraction: Double, interpolation: Interpolation = .bilinear,
    mean: [Double], standardDeviation: [Double]
  ) {
    self.size = size
    self.channels = channels
    self.cropFraction = cropFraction
    self.interpolation = interpolation
    self.mean = mean
    self.standardDeviation = standardDeviation
  }
}

extension ImageInput.Normalization {
  /// Of red, green and blue in 0...1.
  public var mean: [Double] {
    switch self {
    case .imagenet: [0.485, 0.456, 0.406]
    case .centered: [0.5, 0.5, 0.5]
    case .caffe: [123.68, 116.779, 103.939].map { $0 / 255 }
    case .raw: [0, 0, 0]
    }
  }

  public var standardDeviation: [Double] {
    switch self {
    case .imagenet: [0.229, 0.224, 0.225]
    case .centered: [0.5, 0.5, 0.5]
    case .caffe, .raw: [1.0 / 255, 1.0 / 255, 1.0 / 255]
    }
  }
}
