import ApusIR
import ApusTensor
import Foundation

/// A rule that makes new parameters from their gradients.
///
/// Formulas are written with parameter `p`, gradient `g`, learning rate `η`, weight decay `λ` and
/// step `t`, which is 1 at first. An optimiser holds no learning rate: the graph takes it as an
/// argument, so that a schedule changes it from run to run without compiling anew.
public protocol Optimizer: Sendable {
  /// The learning rate that PyTorch's optimiser of this name has by default.
  static var defaultLearningRate: Double { get }

  /// The new values of the step's parameters, in their order.
  func newValues(_ step: OptimizerStep) throws -> [Tensor]
}

extension Optimizer {
  /// Records the update of parameters by gradients, as an ``UpdateRule`` without options does.
  public func update(
    _ parameters: [(name: String, tensor: Tensor)], _ gradients: [Tensor], _ scope: Scope
  ) throws {
    try UpdateRule(self).update(parameters, gradients, scope)
  }
}

/// A parameter that is trained, and the gradient of the loss with respect to it.
public struct TrainedParameter {
  /// Within the scope of the network.
  public let name: String
  public let value: Tensor
  public let gradient: Tensor
  /// Whether weight decay is for it.
  public let isDecayed: Bool

  /// `g + λ p`, or `g` where the parameter is not decayed.
  func gradient(decayedBy decay: Double) throws -> Tensor {
    isDecayed && decay != 0 ? try gradient + value * decay : gradient
  }
}

/// What an optimiser is given for one step, and where it keeps what it remembers.
public struct OptimizerStep {
  public let parameters: [TrainedParameter]
  /// `η`, `float32[]`
  public let learningRate: Tensor
  /// `t`, `float32[]`
  public let number: Tensor
  let memory: Memory

  init(_ parameters: [TrainedParameter], learningRate: Tensor, memory: Memory) throws {
    self.parameters = parameters
    self.learningRate = learningRate
    self.memory = memory
    // Counted in integers: float32 would stand still at 2²⁴.
    number = try memory.updated("step", like: learningRate, .int32) { try $0 + 1 }
      .converted(to: .float32)
  }

  /// Declares a state of the parameter's type, zero at first, under `name` and the parameter's own
  /// name; makes what `next` makes of it its next value, and returns that.
  public func updated(
    _ name: String, of parameter: TrainedParameter, _ next: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    try memory.updated("\(name).\(parameter.name)", like: parameter.value, next: next)
  }

  /// The moving average `a ← β a + (1 − β) x` of what a parameter gives at each step.
  public func average(
    _ name: String, of parameter: TrainedParameter, _ x: Tensor, keeping beta: Double
  ) throws -> Tensor {
    try updated(name, of: parameter) { try $0 * beta + x * (1 - beta) }
  }

  /// The same as ``updated(_:of:_:)`` for one number, `float32[]`.
  public func updated(
    _ name: String, from initializer: Initializer, _ next: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    try memory.updated(name, like: learningRate, from: initializer, next: next)
  }

  /// `1 − βᵗ`: how much of a moving average that began at 0 has been filled.
  public func filled(_ beta: Double) throws -> Tensor {
    if beta == 0 { return try number.filled(with: 1) }
    // −(eˣ − 1) = −2u / (1 − u), u = tanh(x/2): 1 − βᵗ itself would lose half of float32's digits.
    let u = try tanh(number * (Foundation.log(beta) / 2))
    return try u * -2 / (1 - u)
  }
}
