import Foundation

/// `rate · factor^(number of milestones reached)`, as PyTorch's `MultiStepLR`.
public struct MultiStepSchedule: Schedule, Hashable {
  let rate: Double
  let milestones: [Int]
  let factor: Double

  /// - Parameter milestones: steps at which the rate is reduced, in any order.
  public init(_ rate: Double, milestones: [Int], factor: Double = 0.1) {
    self.rate = rate
    self.milestones = milestones
    self.factor = factor
  }

  public func learningRate(at step: Int) -> Double {
    rate * pow(factor, Double(milestones.count { $0 <= step }))
  }
}
