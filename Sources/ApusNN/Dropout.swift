import ApusIR
import ApusTensor

/// Drops each element with a probability in training and scales the others up, so that the mean
/// stays (Srivastava et al. 2014); the identity in inference.
public struct Dropout: Layer {
  let rate: Double
  let scope: Scope
  /// Whether whole images are dropped instead of elements.
  let dropsImages: Bool

  /// - Parameter rate: the probability, at least 0 and below 1.
  public init(_ scope: Scope, rate: Double) {
    self.init(scope, rate: rate, dropsImages: false)
  }

  /// Drops the whole residual branch of an image (stochastic depth, Huang et al. 2016,
  /// arXiv 1603.09382; "drop-connect" in EfficientNet).
  public static func connections(_ scope: Scope, rate: Double) -> Dropout {
    Dropout(scope, rate: rate, dropsImages: true)
  }

  private init(_ scope: Scope, rate: Double, dropsImages: Bool) {
    self.scope = scope
    self.rate = rate
    self.dropsImages = dropsImages
  }

  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    guard scope.isTraining, rate > 0 else { return x }
    let shape =
      dropsImages ? Shape(x.shape.indices.map { $0 == 0 ? x.shape[0] : 1 }) : x.shape
    let kept = scope.random(.bernoulli(1 - rate), shape)
    return try x * (kept / (1 - rate))
  }
}
