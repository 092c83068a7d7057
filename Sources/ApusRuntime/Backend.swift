import ApusIR

/// Turns graphs into programs.
public protocol Backend: Sendable {
  /// The name users choose it by, for instance `cpu`.
  var name: String { get }

  /// Prepares the parameters a graph reads and everything else that does not change from run to run.
  ///
  /// - Parameter parameters: one version of the network's parameters; programs for other batch
  ///   sizes share what was prepared from them.
  func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program
}

/// A compiled graph: immutable, shared by any number of executions.
public protocol Program: Sendable {
  /// What every run is given, in this order.
  var inputs: [Input] { get }
  /// What every run returns, in this order.
  var outputs: [Graph.Output.Role] { get }
  /// Bytes a run needs beside parameters and inputs, known before it runs.
  var plannedSizeInBytes: PlannedSize { get }

  /// Makes an instance that can run the program; several run side by side.
  func makeExecution() throws(BackendError) -> any Execution

  /// Brings a tensor to where runs read it, in the form they read, so that no run has to.
  ///
  /// - Parameter input: the place among ``inputs`` it is meant for.
  /// - Throws: `wrongInput` where it is not of that input's type.
  func upload(_ tensor: HostTensor, input: Int) throws(BackendError) -> DeviceTensor
}

extension Program {
  /// For backends that compute in host memory: the tensor as it is.
  public func upload(_ tensor: HostTensor, input: Int) throws(BackendError) -> DeviceTensor {
    let expected = inputs[input]
    guard tensor.type == expected.type else {
      throw .wrongInput(name: expected.name, expected: expected.type, given: tensor.type)
    }
    return .host(tensor)
  }
}

/// The memory of a program, in bytes.
public struct PlannedSize: Hashable, Sendable {
  /// Prepared parameters, shared by programs of all batch sizes.
  public var parameters: Int
  /// Activations and working memory of one execution at their peak.
  public var arena: Int
  /// Parameters and states that runs update.
  public var states: Int
  /// What every run is given.
  public var arguments: Int
  /// What every run returns, where that is not in the arena.
  public var results: Int

  public init(
    parameters: Int, arena: Int, states: Int = 0, arguments: Int = 0, results: Int = 0
  ) {
    self.parameters = parameters
    self.arena = arena
    self.states = states
    self.arguments = arguments
    self.results = results
  }

  /// All that is alive together at most.
  public var total: Int { parameters + arena + states + arguments + results }
}

/// One instance of a program with memory of its own; used by one thread at a time.
public protocol Execution: AnyObject {
  /// Starts a run on inputs of the program's types; on a device it may not be over on return:
  /// wait for the results, or give them to another run.
  ///
  /// A run may take over the memory of parameters and states that are remote tensors, and whose
  /// successors are among the results; those must not be used again. Arguments stay as they are.
  func start(_ inputs: [DeviceTensor]) throws(BackendError) -> [DeviceTensor]
}

extension Execution {
  /// Runs the program to its end on inputs of the program's types.
  public func run(_ inputs: [HostTensor]) throws(BackendError) -> [HostTensor] {
    var results: [HostTensor] = []
    for result in try start(inputs.map(DeviceTensor.host)) {
      results.append(try result.hostTensor())
    }
    return results
  }
}

/// Why a graph cannot be compiled or run.
public enum BackendError: Error, Hashable, Sendable {
  /// An input is missing or has another type than the program expects.
  case wrongInput(name: String, expected: TensorType, given: TensorType?)
  /// A parameter of the graph is not in the store, or has another type.
  case wrongParameter(path: String, expected: TensorType, given: TensorType?)
  /// The backend cannot run a node.
  case unsupported(String)
  /// Memory could not be had.
  case outOfMemory(sizeInBytes: Int)
  /// A device has not enough memory, in its driver's words.
  case deviceOutOfMemory(device: String, reason: String)
  /// A library call failed.
  case library(call: String, status: String)
}

extension BackendError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongInput(let name, let expected, let given):
      "input \"\(name)\": must be \(expected), got \(given.map(\.description) ?? "nothing")"
    case .wrongParameter(let path, let expected, let given):
      "parameter \"\(path)\": must be \(expected), got \(given.map(\.description) ?? "nothing")"
    case .unsupported(let reason): reason
    case .outOfMemory(let sizeInBytes):
      "out of memory: \(sizeInBytes) bytes could not be allocated; use a smaller batch or image"
    case .deviceOutOfMemory(let device, let reason):
      "\(device): out of memory: \(reason)\n  hint: use a smaller batch or image, or end other "
        + "programs that use the device"
    case .library(let call, let status): "\(call) failed: \(status)"
    }
  }

  /// Whether memory was wanting, in the host or on a device.
  public var isOutOfMemory: Bool {
    switch self {
    case .outOfMemory, .deviceOutOfMemory: true
    case .wrongInput, .wrongParameter, .unsupported, .library: false
    }
  }
}
