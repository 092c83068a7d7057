import ApusIR
import ApusRuntime
import ApusTensor

/// Parameters chosen by their names, as patterns of ``Glob``, or by being vectors.
///
/// `["layer1.*", "bn1.*"]` are the parameters that match either.
public struct ParameterSelection: Hashable, Sendable, ExpressibleByArrayLiteral {
  let globs: [Glob]
  let includesVectors: Bool

  /// - Parameter includingVectors: whether parameters of rank 0 and 1 are chosen as well.
  public init(_ patterns: [String], includingVectors: Bool = false) {
    globs = patterns.map(Glob.init)
    includesVectors = includingVectors
  }

  public init(arrayLiteral patterns: String...) { self.init(patterns) }

  /// Biases and the scales and offsets of norms, which are best not decayed
  /// (He et al. 2019, arXiv 1812.01187, section 3.1).
  public static let vectors = ParameterSelection([], includingVectors: true)

  /// Tells which parameters are chosen.
  ///
  /// - Parameter purpose: what they are chosen for, for the message.
  /// - Throws: where a pattern matches none of the parameters.
  func matcher(
    among parameters: [(name: String, tensor: Tensor)], for purpose: String
  ) throws(SelectionError) -> (_ name: String, _ shape: Shape) -> Bool {
    for glob in globs where !parameters.contains(where: { glob.matches($0.name) }) {
      let near = parameters.map { (name: $0.name, distance: glob.distance(to: $0.name)) }
        .enumerated().sorted { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }
      throw .unmatched(
        purpose: purpose, pattern: glob.pattern, near: near.prefix(3).map(\.element.name))
    }
    return { [globs, includesVectors] name, shape in
      includesVectors && shape.rank <= 1 || globs.contains { $0.matches(name) }
    }
  }
}

/// Parameters that cannot be chosen as asked for.
public enum SelectionError: Error, Hashable, Sendable {
  /// A pattern matches no parameter; `near` are those it is most like.
  case unmatched(purpose: String, pattern: String, near: [String])
  /// No parameter is left to be trained: all are frozen, or there are none.
  case nothingTrained(parameters: Int)
}

extension SelectionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unmatched(let purpose, let pattern, let near):
      "\(purpose) parameters: each pattern must match a parameter, got \"\(pattern)\""
        + (near.isEmpty ? "" : "\n  hint: near it are \(near.joined(separator: ", "))")
    case .nothingTrained(let parameters):
      "frozen parameters: some parameter must be left to train, got "
        + (parameters == 0 ? "a network without any" : "all \(parameters) frozen")
    }
  }
}
