import ApusNN
import ApusTensor

/// How the units of a network normalise and activate, as its options say.
struct UnitStyle {
  let activation: ActivationFunction
  let form: BatchNorm2D.Form

  func norm(
    _ scope: Scope, _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1,
    startsAtZero: Bool = false, fixesScale: Bool = false
  ) -> BatchNorm2D {
    BatchNorm2D(
      scope, channels, epsilon: epsilon, momentum: momentum, form: form,
      startsAtZero: startsAtZero, fixesScale: fixesScale)
  }
}

extension NetworkOptions {
  /// The style of units whose activation is `own` where the options name none.
  func style(_ own: ActivationFunction) -> UnitStyle {
    // The stand-in for whatever cannot be inverted, as in the paper.
    let implied: ActivationFunction = norm == .inPlace ? .leakyRelu() : own
    return UnitStyle(activation: activation ?? implied, form: norm)
  }
}
