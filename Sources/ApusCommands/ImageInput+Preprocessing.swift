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
      imageSize: other ?? size, cropFraction: cropFraction, mean: perChannel(mean),
      std: perChannel(standardDeviation),
      interpolation: interpolation)
  }

  /// Grey pictures are prepared as three equal channels.
  private func perChannel(_ values: [Double]) -> SIMD3<Float> {
    values.count == 3 ? SIMD3(values.map(Float.init)) : SIMD3(repeating: Float(values.first ?? 0))
  }
}
