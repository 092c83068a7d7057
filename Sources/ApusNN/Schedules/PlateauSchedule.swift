/// Reduces the learning rate where a metric has stopped improving, as PyTorch's
/// `ReduceLROnPlateau` with a relative threshold.
public struct PlateauSchedule: Schedule, Hashable {
  /// Which way the metric improves.
  public enum Goal: Hashable, Sendable { case lowest, highest }

  let goal: Goal
  let factor: Double
  let patience: Int
  let threshold: Double
  let cooldown: Int
  let minimum: Double
  /// What the metrics so far have led to: save it, and set it in order to go on.
  public var position: Position

  /// - Parameters:
  ///   - factor: what the rate is multiplied with.
  ///   - patience: metrics without improvement that are let pass.
  ///   - threshold: the least relative improvement that counts.
  ///   - cooldown: metrics after a reduction that are not held against the rate.
  ///   - minimum: the least rate.
  public init(
    _ rate: Double, goal: Goal = .lowest, factor: Double = 0.1, patience: Int = 10,
    threshold: Double = 1e-4, cooldown: Int = 0, minimum: Double = 0
  ) throws(SettingError) {
    try requireSetting(factor < 1, "plateau schedule", "factor must be below 1", got: factor)
    self.goal = goal
    self.factor = factor
    self.patience = patience
    self.threshold = threshold
    self.cooldown = cooldown
    self.minimum = minimum
    position = Position(
      rate: rate, best: goal == .lowest ? .infinity : -.infinity, misses: 0, cooling: 0)
  }

  /// The rate that the metrics so far have led to, whatever the step.
  public func learningRate(at step: Int) -> Double { position.rate }

  /// Takes in the metric of another epoch.
  public mutating func observe(_ metric: Double) {
    if isBetter(metric) {
      position.best = metric
      position.misses = 0
    } else {
      position.misses += 1
    }
    if position.cooling > 0 {
      position.cooling -= 1
      position.misses = 0
    }
    guard position.misses > patience else { return }
    let reduced = max(position.rate * factor, minimum)
    // PyTorch's eps: smaller reductions are not worth it.
    if position.rate - reduced > 1e-8 { position.rate = reduced }
    position.cooling = cooldown
    position.misses = 0
  }

  private func isBetter(_ metric: Double) -> Bool {
    switch goal {
    case .lowest: metric < position.best * (1 - threshold)
    case .highest: metric > position.best * (1 + threshold)
    }
  }
}

extension PlateauSchedule {
  /// Where a plateau schedule is; its description reads back to the same bits.
  public struct Position: Hashable, Sendable, LosslessStringConvertible {
    var rate: Double
    var best: Double
    /// Metrics since the last improvement.
    var misses: Int
    /// Metrics still to come that are not held against the rate.
    var cooling: Int

    init(rate: Double, best: Double, misses: Int, cooling: Int) {
      self.rate = rate
      self.best = best
      self.misses = misses
      self.cooling = cooling
    }

    public init?(_ description: String) {
      let words = description.split(separator: " ").map(String.init)
      guard words.count == 4, let rate = Double(words[0]), let best = Double(words[1]),
        let misses = Int(words[2]), let cooling = Int(words[3])
      else { return nil }
      self.init(rate: rate, best: best, misses: misses, cooling: cooling)
    }

    public var description: String { "\(rate) \(best) \(misses) \(cooling)" }
  }
}
