import Apus
import ApusData

extension ImageInput {
  /// The preprocessing of pictures for this network, at its own size or another one.
  func preprocessing(size other: Int? = nil) throws(DatasetError) -> Preprocessing {
    let crop = other ?? size
    let short = (Double(crop) / cropFraction).rounded()
    let interpolation: ApusData.Interpolation =
      switch interpolation {
      case .bilinear: .bilinear
      case .bicubic: .bicubic
      }
    return try Preprocessing(
      resizeShortSide: short < Double(Int32.max) ? Int(short) : Int(Int32.max), crop: crop,
      mean: SIMD3(mean.map(Float.init)), std: SIMD3(standardDeviation.map(Float.init)),
      interpolation: interpolation)
  }
}
