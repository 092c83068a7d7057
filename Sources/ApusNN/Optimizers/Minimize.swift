import ApusAutodiff
import ApusTensor

extension UpdateRule {
  /// Records one step towards a smaller loss: the gradients of all parameters in the scope that are
  /// not frozen, and their update.
  ///
  /// - Parameters:
  ///   - loss: a scalar of the scope's trace.
  ///   - scope: the network's; what is outside it stays as it is.
  ///   - learningRate: `float32[]`; the argument `learning_rate` by default.
  /// - Throws: ``SelectionError`` where a frozen pattern matches nothing, or all is frozen; the
  ///   constraints of `gradients(of:withRespectTo:)`.
  public func minimize(_ loss: Tensor, _ scope: Scope, learningRate: Tensor? = nil) throws {
    let trained = try trainedParameters(scope)
    guard let scaling else {
      let gradients = try gradients(of: loss, withRespectTo: trained.map(\.tensor))
      try update(trained, gradients, scope, learningRate: learningRate)
      if skipsNonFinite { try loss.builder.limitUpdates(to: allFinite([loss] + gradients)) }
      return
    }
    let memory = scope["optimizer"]
    let (state, factor) = try scaling.factor(memory)
    let scaled = try gradients(of: loss * factor, withRespectTo: trained.map(\.tensor))
    let reciprocal = try 1 / factor
    try update(trained, scaled.map { try $0 * reciprocal }, scope, learningRate: learningRate)
    let isFinite = try allFinite([loss] + scaled)
    try loss.builder.limitUpdates(to: isFinite)
    try scaling.update(state, wasFinite: isFinite, memory)
  }
}

extension Optimizer {
  /// Records one step of the optimiser, with nothing around it, towards a smaller loss.
  public func minimize(_ loss: Tensor, _ scope: Scope, learningRate: Tensor? = nil) throws {
    try UpdateRule(self).minimize(loss, scope, learningRate: learningRate)
  }
}
