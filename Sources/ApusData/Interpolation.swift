/// The filter that resizing weighs neighbouring pixels with; widened when a picture shrinks, so
/// that it does not alias.
public enum Interpolation: String, Hashable, Sendable, CaseIterable {
  /// A triangle.
  case bilinear
  /// Keys' cubic convolution (1981) with a = −0.5.
  case bicubic

  /// The distance, in pixels, from which on `weight(at:)` is zero.
  var support: Double {
    switch self {
    case .bilinear: 1
    case .bicubic: 2
    }
  }

  func weight(at distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .bilinear:
      return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }
  }
}
