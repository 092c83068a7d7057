import ApusIR
import ApusTensor

/// A factor of the loss that brings small gradients into the range of `float16`, and how it changes
/// (Micikevicius et al. 2018, arXiv 1710.03740, section 3.2), as PyTorch's `GradScaler`.
///
/// A step whose loss or gradients are not finite changes nothing: neither a parameter nor a statistic
/// or state of the optimiser. The factor is halved then, and doubled after as many good steps in
/// succession as `interval` says. It is a power of two, so that it rounds nothing.
///
/// Its states are `optimizer.loss_scale`, the factor in units of the first one, and
/// `optimizer.good_steps`.
public struct LossScaling: Hashable, Sendable {
  /// The factor of the first step.
  public let initial: Double
  /// Good steps before the factor is doubled.
  public let interval: Int

  public init(initial: Double = 65536, interval: Int = 2000) throws(SettingError) {
    try requireSetting(
      initial >= 1 && initial <= 0x1p100 && initial.significand == 1, "loss scaling",
      "the first factor must be a power of two in 1...2¹⁰⁰", got: initial)
    try requireSetting(
      (1...Int(Int32.max)).contains(interval), "loss scaling",
      "the interval must be at least 1 and an int32", got: interval)
    self.initial = initial
    self.interval = interval
  }

  /// The factor of this step, `float32[]`.
  func factor(_ scope: Scope) throws -> (state: Tensor, factor: Tensor) {
    let state = scope.state("loss_scale", [], .ones)
    return (state, try state * initial)
  }

  /// Records what becomes of the factor.
  func update(_ state: Tensor, wasFinite: Tensor, _ scope: Scope) throws {
    let count = scope.state("good_steps", [], .zeros, dtype: .int32)
    let isFull = try count.compared(.equal, count.filled(with: Double(interval - 1)))
    let grown = try select(isFull, state * 2, state)
    // Below 1 there is nothing to gain: it is not the factor then that overflows.
    let shrunk = try maximum(state / 2, state.filled(with: 1 / initial))
    scope.update("loss_scale", try select(wasFinite, grown, shrunk))
    let next = try select(isFull, count.filled(with: 0), count + 1)
    scope.update("good_steps", try select(wasFinite, next, count.filled(with: 0)))
  }
}

/// Whether every element of all tensors is a finite number: `bool[]`.
func allFinite(_ tensors: [Tensor]) throws -> Tensor {
  // 0 · x is NaN for infinite x, and stays so in every sum.
  let zeros = try tensors.map { tensor in
    try (tensor * 0).reduced(.sum, axes: Array(tensor.shape.indices))
      .converted(to: .float32)
  }
  let sum = try zeros.dropFirst().reduce(zeros[0]) { try $0 + $1 }
  return try sum.compared(.equal, sum.filled(with: 0))
}
