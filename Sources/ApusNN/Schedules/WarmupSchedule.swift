/// A linear rise in front of another schedule, whose steps count from its end, as PyTorch's
/// `SequentialLR` of `LinearLR` and the other.
public struct WarmupSchedule<Next: Schedule>: Schedule {
  let length: Int
  let factor: Double
  /// What comes after the rise.
  public var next: Next

  /// - Parameters:
  ///   - length: steps of the rise.
  ///   - factor: the share of `next`'s first rate that the rise begins with.
  public init(
    over length: Int, from factor: Double = 1.0 / 3, to next: Next
  ) throws(SettingError) {
    try requireSetting(length >= 0, "warm-up", "its steps must be at least 0", got: length)
    self.length = length
    self.factor = factor
    self.next = next
  }

  public func learningRate(at step: Int) -> Double {
    if step >= length { return next.learningRate(at: step - length) }
    let share = Double(max(step, 0)) / Double(length)
    return next.learningRate(at: 0) * (factor + (1 - factor) * share)
  }
}
