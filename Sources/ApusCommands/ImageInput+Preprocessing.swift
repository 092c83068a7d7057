import Apus
import ApusData

extension ImageInput {
  /// The preprocessing of pictures for this network, at its own size or another one.
  func preprocessing(size other: Int? = nil) throws(DatasetError) -> Preprocessing {
    let interpolation: ApusData.Interpolation =
      switch interpolation {
      case .bilinear: .bilinear
      case .bicubic: .bicubic
      }
    return try Preprocessing(
      imageSize: other ?? size, cropFraction: cropFraction, mean: SIMD3(mean.map(Float.init)),
      std: SIMD3(standardDeviation.map(Float.init)),
      interpolation: interpolation)
  }
}
