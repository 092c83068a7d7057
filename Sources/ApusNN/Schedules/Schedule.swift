/// The learning rate as a function of the step, which counts from 0 in whatever the caller calls a
/// step: runs, or epochs.
public protocol Schedule: Sendable {
  func learningRate(at step: Int) -> Double
}

/// The same learning rate at every step.
public struct ConstantSchedule: Schedule, Hashable {
  let rate: Double

  public init(_ rate: Double) { self.rate = rate }

  public func learningRate(at step: Int) -> Double { rate }
}
