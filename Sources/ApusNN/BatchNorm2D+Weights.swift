import ApusIR
import ApusRuntime

// A scale γ means γ to a plain batch norm and |γ| + ε to the others.
extension BatchNorm2D.Form {
  /// The norm that a file's scales belong to; plain where the file does not say.
  public init(recordedIn metadata: [String: String]) {
    self = metadata[TrainingState.normKey].flatMap(Self.init) ?? .plain
  }

  /// What a file of scales of another norm records: which norm they were trained with.
  public func metadata(afterExporting norm: Self) -> [String: String] {
    [TrainingState.normKey: rawValue, "trained-norm": norm.rawValue]
  }

  /// Weights as a network of this norm reads them, of whose graph they are.
  ///
  /// - Parameters:
  ///   - recorded: the norm that the scales belong to.
  ///   - file: where they come from.
  /// - Throws: where a scale of a plain norm is negative, for which the others have no equal.
  public func fitted(
    _ store: ParameterStore, from recorded: Self, to graph: Graph, file: String
  ) throws(WeightsError) -> ParameterStore {
    if self == .plain {
      return recorded == .plain ? store : Self.exported(store, of: graph)
    }
    if recorded != .plain { return store }
    for path in graph.normScales.keys.sorted() {
      guard let scale = store[path], let element = scale.doubles.firstIndex(where: { $0 < 0 })
      else { continue }
      throw WeightsError(
        path: file,
        reason: .negativeScale(
          tensor: path, element: element, value: "\(scale.doubles[element])", norm: rawValue))
    }
    return store
  }

  /// Weights for anybody's batch norms: `|γ| + ε` in place of `γ`.
  public static func exported(_ store: ParameterStore, of graph: Graph) -> ParameterStore {
    var store = store
    for (path, epsilon) in graph.normScales {
      if let scale = store[path] { store[path] = exported(scale, epsilon: epsilon) }
    }
    return store
  }

  /// The scale of a plain norm that is the same function.
  public static func exported(_ scale: HostTensor, epsilon: Double) -> HostTensor {
    HostTensor(scale.type, rounding: scale.doubles.map { abs($0) + epsilon })
  }
}

extension Graph {
  /// The scales that batch norms read, by path, and the ε of each norm.
  public var normScales: [String: Double] {
    let uses = lastUses
    let read = Set(
      inputs.compactMap { input, value in uses[value.index] == nil ? nil : input.path })
    var scales: [String: Double] = [:]
    for node in nodes {
      let path = node.path.isEmpty ? "weight" : "\(node.path).weight"
      if let epsilon = node.op.normEpsilon, read.contains(path) { scales[path] = epsilon }
    }
    return scales
  }
}

extension Op {
  /// The ε of a batch norm.
  fileprivate var normEpsilon: Double? {
    if case .batchNorm(let norm) = self { return norm.epsilon }
    if case .batchNormTraining(let norm) = self { return norm.epsilon }
    if case .activatedBatchNorm(let norm) = self { return norm.epsilon }
    return nil
  }
}
