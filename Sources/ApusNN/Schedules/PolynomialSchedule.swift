import Foundation

/// `rate · (1 − step / length)^power`, and 0 after `length` steps, as PyTorch's `PolynomialLR`.
public struct PolynomialSchedule: Schedule, Hashable {
  let rate: Double
  let length: Int
  let power: Double

  /// - Parameter length: steps from the first rate to 0.
  public init(_ rate: Double, over length: Int, power: Double = 1) throws(SettingError) {
    try requireSetting(
      length >= 1, "polynomial schedule", "its steps must be at least 1", got: length)
    self.rate = rate
    self.length = length
    self.power = power
  }

  public func learningRate(at step: Int) -> Double {
    rate * pow(1 - Double(min(max(step, 0), length)) / Double(length), power)
  }
}
