import ApusIR
import ApusTensor

extension Dot {
  /// Products of the gradient with the other operand.
  func pullback(_ call: PullbackCall) throws -> [Tensor?] {
    guard let g = call.gradients[0] else { return [nil, nil] }
    return [
      try call.gradient(of: 0) {
        let right = try call.operand(1)
        return transposesLeft
          ? try dot(right, g, transposesLeft: transposesRight, transposesRight: true)
          : try dot(g, right, transposesRight: !transposesRight)
      },
      try call.gradient(of: 1) {
        let left = try call.operand(0)
        return transposesRight
          ? try dot(g, left, transposesLeft: true, transposesRight: transposesLeft)
          : try dot(left, g, transposesLeft: !transposesLeft)
      },
    ]
  }
}
