import Foundation

/// `rate · factor^⌊step / length⌋`, as PyTorch's `StepLR`.
public struct StepSchedule: Schedule, Hashable {
  let rate: Double
  let length: Int
  let factor: Double

  /// - Parameter length: steps between two reductions.
  public init(_ rate: Double, every length: Int, factor: Double = 0.1) throws(SettingError) {
    try requireSetting(
      length >= 1, "step schedule", "the steps between reductions must be at least 1", got: length)
    self.rate = rate
    self.length = length
    self.factor = factor
  }

  public func learningRate(at step: Int) -> Double {
    rate * pow(factor, Double(max(step, 0) / length))
  }
}
