/// The evaluation preprocessing of torchvision: resize the short side, crop the centre, normalise.
///
/// Equal to `Compose([Resize(resizeShortSide, interpolation), CenterCrop(crop), ToTensor(),
/// Normalize(mean, std)])` applied to a Pillow picture.
public struct Preprocessing: Hashable, Sendable {
  /// The largest `resizeShortSide` and `crop`.
  public static let maximumSize = 8192

  /// The short side after resizing, in pixels; the long side keeps the shape.
  public let resizeShortSide: Int
  /// The sides of the square cut from the centre, in pixels; black is added where it sticks out.
  public let crop: Int
  /// Subtracted from the channels, which run from 0 to 1.
  public let mean: SIMD3<Float>
  /// Divides the channels, after the subtraction.
  public let std: SIMD3<Float>
  public let interpolation: Interpolation

  /// The preprocessing that most ImageNet weights were trained for: 256, then 224.
  public static let imageNet = Preprocessing(imageNetShortSide: 256, crop: 224)

  /// A preprocessing of given sizes; throws `imageSize` or `normalization` where they make none.
  public init(
    resizeShortSide: Int, crop: Int, mean: SIMD3<Float> = imageNet.mean,
    std: SIMD3<Float> = imageNet.std, interpolation: Interpolation = .bilinear
  ) throws(DatasetError) {
    for size in [resizeShortSide, crop] where !(1...Self.maximumSize).contains(size) {
      throw DatasetError(.imageSize(given: size, limit: Self.maximumSize))
    }
    for channel in 0..<3 {
      guard mean[channel].isFinite, std[channel].isFinite, std[channel] > 0 else {
        throw DatasetError(.normalization(mean: mean, std: std))
      }
    }
    self.resizeShortSide = resizeShortSide
    self.crop = crop
    self.mean = mean
    self.std = std
    self.interpolation = interpolation
  }

  /// A preprocessing that cuts `imageSize` pixels from a picture whose short side is `cropFraction`
  /// times larger; by default with ImageNet's ratio of 256 to 224.
  public init(
    imageSize: Int, cropFraction: Double = 224.0 / 256, mean: SIMD3<Float> = imageNet.mean,
    std: SIMD3<Float> = imageNet.std, interpolation: Interpolation = .bilinear
  ) throws(DatasetError) {
    let limit = Int(Double(Self.maximumSize) * min(max(cropFraction, 0), 1))
    guard (1...max(limit, 1)).contains(imageSize) else {
      throw DatasetError(.imageSize(given: imageSize, limit: limit))
    }
    try self.init(
      resizeShortSide: Int((Double(imageSize) / cropFraction).rounded()), crop: imageSize,
      mean: mean, std: std, interpolation: interpolation)
  }

  private init(imageNetShortSide: Int, crop: Int) {
    resizeShortSide = imageNetShortSide
    self.crop = crop
    mean = [0.485, 0.456, 0.406]
    std = [0.229, 0.224, 0.225]
    interpolation = .bilinear
  }

  /// The float32 values of one picture: 3 × `crop` × `crop`.
  public var valueCount: Int { 3 * crop * crop }

  /// The size of a picture after resizing and before cropping; throws `resizedTooLarge`.
  public func resizedSize(
    of image: RGBImage
  ) throws(DatasetError) -> (width: Int, height: Int) {
    let isWide = image.width > image.height
    let short = min(image.width, image.height)
    let long = max(image.width, image.height)
    let newLong = Int(Double(resizeShortSide * long) / Double(short))
    let size =
      isWide
      ? (width: newLong, height: resizeShortSide) : (width: resizeShortSide, height: newLong)
    if newLong * resizeShortSide > ImageLimits.pixels {
      throw DatasetError(
        .resizedTooLarge(
          width: image.width, height: image.height, resizedWidth: size.width,
          resizedHeight: size.height))
    }
    return size
  }
}

extension Preprocessing {
  /// The normalised channels `[3, crop, crop]`, red first; throws `resizedTooLarge`.
  public func callAsFunction(_ image: RGBImage) throws(DatasetError) -> [Float] {
    let count = valueCount
    var values = [Float](unsafeUninitializedCapacity: count) { $1 = count }
    try values.withUnsafeMutableBufferPointer { values throws(DatasetError) in
      try self(image, into: values)
    }
    return values
  }

  /// Writes the normalised channels `[3, crop, crop]`, such as one picture of a batch; throws
  /// `resizedTooLarge`, or `bufferSize` unless there is room for exactly `valueCount` values.
  public func callAsFunction(
    _ image: RGBImage, into values: UnsafeMutableBufferPointer<Float>
  ) throws(DatasetError) {
    guard values.count == valueCount else {
      throw DatasetError(.bufferSize(expected: valueCount, given: values.count))
    }
    let cropped = try resizedAndCropped(image)
    let area = crop * crop
    cropped.pixels.withUnsafeBufferPointer { pixels in
      for channel in 0..<3 {
        let normalized = (0...255).map { (Float($0) / 255 - mean[channel]) / std[channel] }
        normalized.withUnsafeBufferPointer { normalized in
          let plane = UnsafeMutableBufferPointer(
            rebasing: values[channel * area..<(channel + 1) * area])
          for index in 0..<area {
            plane[index] = normalized[Int(pixels[index &* 3 &+ channel])]
          }
        }
      }
    }
  }

  /// The picture before normalisation, `crop` × `crop`; throws `resizedTooLarge`.
  public func resizedAndCropped(_ image: RGBImage) throws(DatasetError) -> RGBImage {
    let size = try resizedSize(of: image)
    let across = CropWindow(of: size.width, crop: crop)
    let down = CropWindow(of: size.height, crop: crop)
    let resampling = Resampling(
      columns: AxisWeights(
        source: image.width, target: size.width, window: across.kept,
        interpolation: interpolation),
      rows: AxisWeights(
        source: image.height, target: size.height, window: down.kept,
        interpolation: interpolation),
      isHeightFirst: isHeightFirst(image, size.width, size.height))
    let window = resampling(image)
    if across.kept.count == crop && down.kept.count == crop {
      return try RGBImage(width: crop, height: crop, pixels: window)
    }
    var padded = [UInt8](repeating: 0, count: crop * crop * 3)
    let bytesPerRow = across.kept.count * 3
    for row in 0..<down.kept.count {
      let start = ((row + down.padding) * crop + across.padding) * 3
      padded.replaceSubrange(
        start..<start + bytesPerRow, with: window[row * bytesPerRow..<(row + 1) * bytesPerRow])
    }
    return try RGBImage(width: crop, height: crop, pixels: padded)
  }
}

/// The order that Pillow chooses from its version 13 on, to save work where the height shrinks
/// much more than the width; before, the width was always first.
private func isHeightFirst(_ image: RGBImage, _ width: Int, _ height: Int) -> Bool {
  height < image.height && image.height - height > 2 * (image.width - width)
}

/// One axis of a centre crop, rounded as torchvision's `center_crop` does.
private struct CropWindow {
  /// The indices of the resized picture that are kept.
  let kept: Range<Int>
  /// The black pixels before them.
  let padding: Int

  init(of extent: Int, crop: Int) {
    if extent <= crop {
      kept = 0..<extent
      padding = (crop - extent) / 2
    } else {
      let start = Int((Double(extent - crop) / 2).rounded(.toNearestOrEven))
      kept = start..<start + crop
      padding = 0
    }
  }
}
