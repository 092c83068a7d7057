import Foundation

/// A rise to `peak` and a longer fall to almost nothing, both along a cosine, as PyTorch's
/// `OneCycleLR` in two phases (Smith and Topin 2018, arXiv 1708.07120).
///
/// The first rate is `peak / initialDivisor`, the last that `/ finalDivisor`. Unlike PyTorch's, it
/// leaves the momentum alone, and stays at the last rate after `length` steps.
public struct OneCycleSchedule: Schedule, Hashable {
  let peak: Double
  let length: Int
  let rising: Double
  let initialDivisor: Double
  let finalDivisor: Double

  /// - Parameter rising: the share of the steps in which the rate rises.
  public init(
    peak: Double, over length: Int, rising: Double = 0.3, initialDivisor: Double = 25,
    finalDivisor: Double = 1e4
  ) throws(SettingError) {
    let subject = "one-cycle schedule"
    try requireSetting(length >= 1, subject, "its steps must be at least 1", got: length)
    try requireSetting(
      (0...1).contains(rising), subject, "the rising share must be in 0...1", got: rising)
    for divisor in [initialDivisor, finalDivisor] {
      try requireSetting(divisor > 0, subject, "divisors must be above 0", got: divisor)
    }
    self.peak = peak
    self.length = length
    self.rising = rising
    self.initialDivisor = initialDivisor
    self.finalDivisor = finalDivisor
  }

  public func learningRate(at step: Int) -> Double {
    let last = Double(length - 1)
    let step = min(Double(max(step, 0)), last)
    let top = rising * Double(length) - 1
    let first = peak / initialDivisor
    if step <= top { return cosine(from: first, to: peak, step, 0, top) }
    return cosine(from: peak, to: first / finalDivisor, step, top, last)
  }

  private func cosine(
    from start: Double, to end: Double, _ step: Double, _ first: Double, _ last: Double
  ) -> Double {
    let share = last > first ? (step - first) / (last - first) : 1
    return end + (start - end) / 2 * (cos(.pi * share) + 1)
  }
}
