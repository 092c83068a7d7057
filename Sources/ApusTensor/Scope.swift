import ApusIR

/// Where a layer declares its parameters: a path prefix within one trace.
public struct Scope {
  let builder: GraphBuilder
  /// The prefix of the paths declared here, for instance `layer1.0`; empty at the top.
  public let path: String
  /// Whether layers behave as in training (batch statistics, dropout).
  public let isTraining: Bool

  init(_ builder: GraphBuilder, path: String, isTraining: Bool) {
    self.builder = builder
    self.path = path
    self.isTraining = isTraining
  }

  /// The scope of a part of this one.
  public subscript(name: String) -> Scope {
    Scope(builder, path: joined(name), isTraining: isTraining)
  }

  /// The scope of a numbered part, as PyTorch's `Sequential` names them.
  public subscript(index: Int) -> Scope { self[String(index)] }

  /// Declares an input of every run.
  public func argument(_ name: String, _ dtype: DType, _ shape: Shape) -> Tensor {
    builder.declare(Input(.argument(name), TensorType(dtype, shape)))
  }

  /// Declares a trained parameter.
  public func parameter(
    _ name: String, _ shape: Shape, _ initializer: Initializer, dtype: DType = .float32
  ) -> Tensor {
    builder.declare(
      Input(.parameter(joined(name)), TensorType(dtype, shape), initializer: initializer))
  }

  /// The parameters declared in this scope so far, in that order, by their names within it.
  public var parameters: [(name: String, tensor: Tensor)] {
    let prefix = path.isEmpty ? "" : path + "."
    return builder.graph.inputs.compactMap { input, value in
      guard case .parameter(let path) = input.role, path.hasPrefix(prefix) else { return nil }
      return (String(path.dropFirst(prefix.count)), Tensor(builder, value))
    }
  }

  /// Declares a value that the network keeps between runs but does not train.
  public func state(
    _ name: String, _ shape: Shape, _ initializer: Initializer, dtype: DType = .float32
  ) -> Tensor {
    builder.declare(
      Input(.state(joined(name)), TensorType(dtype, shape), initializer: initializer))
  }

  /// Declares an input that is drawn afresh for every run.
  public func random(_ distribution: Distribution, _ shape: Shape) -> Tensor {
    builder.declare(Input(.random(distribution), TensorType(.float32, shape)))
  }

  /// Makes `tensor` the value of this scope's state (or parameter) `name` before the next run.
  public func update(_ name: String, _ tensor: Tensor) {
    builder.output(.update(joined(name)), tensor)
  }

  /// Marks what `body` computes as a segment: of its values only those that are read outside are kept
  /// for the gradients, and the others computed again there
  /// (Chen et al. 2016, arXiv 1604.06174, section 4).
  ///
  /// Random inputs are read again, not drawn again, and updates made once. A segment inside another
  /// is part of that.
  public func checkpoint<Result>(_ body: () throws -> Result) rethrows -> Result {
    try builder.segment(body)
  }

  private func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}

/// Records what `body` computes, and returns it as a graph whose results are `body`'s.
///
/// - Throws: what `body` throws; the first constraint that a declaration or op violates.
public func trace(
  training: Bool = false, _ body: (Scope) throws -> KeyValuePairs<String, Tensor>
) throws -> Graph {
  let builder = GraphBuilder()
  let results: KeyValuePairs<String, Tensor>
  do {
    results = try body(Scope(builder, path: "", isTraining: training))
  } catch {
    throw builder.failedDeclaration ?? error
  }
  for (name, tensor) in results { builder.output(.result(name), tensor) }
  if let error = builder.failedDeclaration { throw error }
  return builder.graph
}
