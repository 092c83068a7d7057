import ApusIR

/// Runs a network on a backend: keeps its parameters, one program for each batch size, and the
/// values that runs update.
///
/// Used by one thread at a time.
public final class Session {
  private let backend: any Backend
  private let graph: (_ batch: Int) throws -> Graph
  private var parameters: PreparedParameters
  private var executions: [Int: (program: any Program, execution: any Execution)] = [:]
  /// The values of parameters and states that runs update, as the last one left them.
  private var updated: [String: DeviceTensor] = [:]
  /// All paths, in the order they were given.
  private var paths: [String]
  private var random: RandomSource

  /// - Parameters:
  ///   - seed: of the random inputs.
  ///   - graph: the graph of a run on a batch of that size.
  public init(
    _ backend: any Backend, _ parameters: ParameterStore, seed: UInt64 = 0,
    graph: @escaping (_ batch: Int) throws -> Graph
  ) {
    self.backend = backend
    self.parameters = PreparedParameters(parameters)
    self.graph = graph
    paths = parameters.paths
    random = RandomSource(seed: seed)
  }

  /// The parameters and states as the runs so far have left them, for instance to be written to a
  /// file; waits for the runs and copies from the device.
  public var updatedParameters: ParameterStore {
    get throws(BackendError) {
      let kept = parameters.store
      var store = ParameterStore()
      for path in paths { store[path] = try updated[path]?.hostTensor() ?? kept[path] }
      return store
    }
  }

  /// Everything the next run depends on but its arguments; waits for the runs and copies from the
  /// device.
  ///
  /// - Parameter progress: what the caller needs beside it in order to go on.
  public func trainingState(
    progress: [String: String] = [:]
  ) throws(BackendError) -> TrainingState {
    TrainingState(parameters: try updatedParameters, random: random, progress: progress)
  }

  /// Goes on as if the runs that led to a state had been this session's.
  ///
  /// Programs are compiled anew, since they hold the values of parameters that no run updates: best
  /// done before the first run.
  public func restore(_ state: TrainingState) {
    parameters = PreparedParameters(state.parameters)
    paths = state.parameters.paths
    random = state.random
    updated = [:]
    executions = [:]
  }

  /// Compiles the program for a batch size, unless it is there already.
  @discardableResult
  public func prepare(batch: Int) throws -> any Program { try execution(batch: batch).program }

  /// Runs once and returns the results by name.
  ///
  /// - Throws: what making the graph throws; ``BackendError``.
  public func run(
    _ arguments: [String: HostTensor], batch: Int
  ) throws -> [String: HostTensor] {
    var results: [String: HostTensor] = [:]
    for (name, tensor) in try start(arguments.mapValues(DeviceTensor.host), batch: batch) {
      results[name] = try tensor.hostTensor()
    }
    return results
  }

  /// Starts a run and returns the results by name; on a device they may not be computed yet.
  ///
  /// What the run updates stays on the device for the next one.
  ///
  /// - Throws: what making the graph throws; ``BackendError``.
  public func start(
    _ arguments: [String: DeviceTensor], batch: Int
  ) throws -> [String: DeviceTensor] {
    let (program, execution) = try execution(batch: batch)
    var inputs: [DeviceTensor] = []
    for (index, input) in program.inputs.enumerated() {
      inputs.append(try value(of: input, at: index, of: program, arguments))
    }
    var results: [String: DeviceTensor] = [:]
    for (role, tensor) in zip(program.outputs, try execution.start(inputs)) {
      switch role {
      case .result(let name): results[name] = tensor
      case .update(let path): updated[path] = tensor
      }
    }
    return results
  }

  /// What runs batches of a size.
  package func execution(
    batch: Int
  ) throws -> (program: any Program, execution: any Execution) {
    if let known = executions[batch] { return known }
    let program = try backend.compile(try graph(batch), parameters)
    let made = (program, try program.makeExecution())
    executions[batch] = made
    return made
  }

  private func value(
    of input: Input, at index: Int, of program: any Program, _ arguments: [String: DeviceTensor]
  ) throws(BackendError) -> DeviceTensor {
    switch input.role {
    case .argument(let name):
      guard let tensor = arguments[name] else {
        throw .wrongInput(name: name, expected: input.type, given: nil)
      }
      return tensor
    case .parameter(let path), .state(let path):
      if let tensor = updated[path] { return tensor }
      let tensor = try program.upload(parameters.take(path, input.type), input: index)
      updated[path] = tensor
      return tensor
    case .random(let distribution): return .host(random.tensor(distribution, input.type))
    }
  }
}
