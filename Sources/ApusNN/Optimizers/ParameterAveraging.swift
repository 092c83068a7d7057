import ApusRuntime
import ApusTensor

/// Exponential moving averages of parameters, for evaluating with.
///
/// `a ← d a + (1 − d) p` after each step, as PyTorch's `AveragedModel` with `get_ema_avg_fn(d)`: the
/// average begins as the parameters after the first step. Batch-norm statistics are not averaged:
/// they are averages already.
public struct ParameterAveraging: Sendable {
  let decay: Double
  let averaged: ParameterSelection

  /// - Parameter averaged: which of the trained parameters have an average.
  public init(decay: Double, averaged: ParameterSelection = ["*"]) throws(SettingError) {
    try requireSetting(
      (0...1).contains(decay), "parameter averaging", "the decay must be in 0...1", got: decay)
    self.decay = decay
    self.averaged = averaged
  }

  func record(
    _ names: [String], _ values: [Tensor], step: OptimizerStep, _ scope: Scope
  ) throws {
    let isAveraged = try averaged.matcher(among: scope.parameters, for: "averaged")
    let averages = Memory(scope: scope["averages"], condition: step.memory.condition)
    let isFirst = try step.number.compared(.equal, step.number.filled(with: 1))
    // The average is 0 before the first step, which takes the parameters as they are.
    let share = try select(
      isFirst, step.number.filled(with: 1), step.number.filled(with: 1 - decay))
    for (name, value) in zip(names, values) where isAveraged(name, value.shape) {
      _ = try averages.updated(name, like: value) { try $0 + share * (value - $0) }
    }
  }
}

extension ParameterStore {
  /// The same values, with each parameter that has an average replaced by it.
  ///
  /// - Parameter path: the scope that was given to the update; the whole network's by default.
  public func averaged(in path: String = "") -> ParameterStore {
    let scope = path.isEmpty ? "" : path + "."
    let prefix = scope + "averages."
    var store = self
    for path in paths where path.hasPrefix(prefix) {
      store[scope + path.dropFirst(prefix.count)] = self[path]
    }
    return store
  }
}
