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
}

/// The memory of a program, in bytes.
public struct PlannedSize: Hashable, Sendable {
  /// Prepared parameters, shared by programs of all batch sizes.
  public var parameters: Int
  /// Activations and working memory of one execution at their peak.
  public var arena: Int

  public init(parameters: Int, arena: Int) {
    self.parameters = parameters
    self.arena = arena
  }
}

/// One instance of a program with memory of its own; used by one thread at a time.
public protocol Execution: AnyObject {
  /// Runs the program to its end on inputs of the program's types.
  func run(_ inputs: [HostTensor]) throws(BackendError) -> [HostTensor]
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
    case .library(let call, let status): "\(call) failed: \(status)"
    }
  }
}
