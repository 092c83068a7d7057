import Foundation

/// `minimum + (rate − minimum) (1 + cos(π step / length)) / 2`, as PyTorch's `CosineAnnealingLR`
/// (Loshchilov and Hutter 2017, arXiv 1608.03983, equation 5); it rises again after `length` steps.
public struct CosineSchedule: Schedule, Hashable {
  let rate: Double
  let length: Int
  let minimum: Double

  /// - Parameter length: steps from the first rate to the least.
  public init(_ rate: Double, over length: Int, minimum: Double = 0) throws(SettingError) {
    try requireSetting(length >= 1, "cosine schedule", "its steps must be at least 1", got: length)
    self.rate = rate
    self.length = length
    self.minimum = minimum
  }

  public func learningRate(at step: Int) -> Double {
    minimum + (rate - minimum) * (1 + cos(.pi * Double(max(step, 0)) / Double(length))) / 2
  }
}
