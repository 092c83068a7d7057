import ApusIR
import ApusTensor

/// How a step of training changes the parameters: an optimiser, and what is done around it.
///
/// States lie under `optimizer.…` and `averages.…` in the scope. The learning rate is the argument
/// `learning_rate`, `float32[]`, of every run.
public struct UpdateRule: Sendable {
  public let optimizer: any Optimizer
  /// Parameters that stay as they are and take no gradient.
  public let frozen: ParameterSelection
  /// Trained parameters that weight decay leaves alone.
  public let undecayed: ParameterSelection
  public let clipping: GradientClipping?
  /// Runs whose gradients are averaged into one step.
  public let microSteps: Int
  public let averaging: ParameterAveraging?
  /// For gradients in `float16`; ``minimize(_:_:learningRate:)`` alone applies it.
  public let scaling: LossScaling?
  /// Whether a step whose loss or gradients are not finite leaves everything as it was, which takes a
  /// look at each gradient; with a scaling every step does. ``minimize(_:_:learningRate:)`` alone
  /// applies it.
  public let skipsNonFinite: Bool

  public init(
    _ optimizer: any Optimizer, frozen: ParameterSelection = [],
    undecayed: ParameterSelection = [], clipping: GradientClipping? = nil, microSteps: Int = 1,
    averaging: ParameterAveraging? = nil, scaling: LossScaling? = nil,
    skipsNonFinite: Bool = false
  ) throws(SettingError) {
    try requireSetting(
      (1...Int(Int32.max)).contains(microSteps), "gradient accumulation",
      "micro-steps must be at least 1 and an int32", got: microSteps)
    self.optimizer = optimizer
    self.frozen = frozen
    self.undecayed = undecayed
    self.clipping = clipping
    self.microSteps = microSteps
    self.averaging = averaging
    self.scaling = scaling
    self.skipsNonFinite = skipsNonFinite
  }

  /// The scope's parameters that are not frozen: those to take gradients of.
  ///
  /// - Throws: ``SelectionError`` where a frozen pattern matches nothing, or all is frozen.
  public func trainedParameters(
    _ scope: Scope
  ) throws(SelectionError) -> [(name: String, tensor: Tensor)] {
    let parameters = scope.parameters
    let isFrozen = try frozen.matcher(among: parameters, for: "frozen")
    let trained = parameters.filter { !isFrozen($0.name, $0.tensor.shape) }
    if trained.isEmpty { throw .nothingTrained(parameters: parameters.count) }
    return trained
  }

  /// Records the update of parameters by their gradients, in the same order.
  ///
  /// - Parameters:
  ///   - scope: the network's; names are within it.
  ///   - learningRate: `float32[]`; the argument `learning_rate` by default.
  public func update(
    _ parameters: [(name: String, tensor: Tensor)], _ gradients: [Tensor], _ scope: Scope,
    learningRate: Tensor? = nil
  ) throws {
    try requireGradients(gradients, of: parameters)
    var gradients = gradients
    var memory = Memory(scope: scope["optimizer"], condition: nil)
    if microSteps > 1 {
      let accumulated = try accumulate(
        gradients, names: parameters.map(\.name), over: microSteps, in: memory)
      gradients = accumulated.gradients
      memory = Memory(scope: memory.scope, condition: accumulated.isLast)
    }
    if let clipping { gradients = try clipping(gradients) }
    let isUndecayed = try undecayed.matcher(among: scope.parameters, for: "undecayed")
    let trained = zip(parameters, gradients).map { parameter, gradient in
      TrainedParameter(
        name: parameter.name, value: parameter.tensor, gradient: gradient,
        isDecayed: !isUndecayed(parameter.name, parameter.tensor.shape))
    }
    let step = try OptimizerStep(
      trained, learningRate: learningRate ?? scope.argument("learning_rate", .float32, []),
      memory: memory)
    let values = try optimizer.newValues(step)
    for (parameter, value) in zip(trained, values) {
      try memory.update(parameter.name, parameter.value, to: value, in: scope)
    }
    try averaging?.record(trained.map(\.name), values, step: step, scope)
  }

  private func requireGradients(
    _ gradients: [Tensor], of parameters: [(name: String, tensor: Tensor)]
  ) throws(GraphError) {
    func error(
      _ path: String, _ constraint: String, _ rule: String, _ given: String
    ) -> GraphError {
      GraphError(
        path: path, op: "update",
        violation: Violation(constraint: constraint, requirement: rule, given: given),
        operands: [])
    }
    guard gradients.count == parameters.count else {
      throw error(
        "", "C1", "there must be one gradient for each of \(parameters.count) parameters",
        "\(gradients.count)")
    }
    for (parameter, gradient) in zip(parameters, gradients)
    where gradient.type != parameter.tensor.type || gradient.dtype != .float32 {
      throw error(
        parameter.name, "C2", "parameter and gradient must be float32 of one shape",
        "\(parameter.tensor.type) and \(gradient.type)")
    }
  }
}
