import ApusIR

/// A rewrite of a graph that keeps its meaning.
public struct Pass: Sendable {
  public let name: String
  package let rewrite: @Sendable (Graph) throws(GraphError) -> Graph

  public init(
    _ name: String, _ rewrite: @escaping @Sendable (Graph) throws(GraphError) -> Graph
  ) {
    self.name = name
    self.rewrite = rewrite
  }
}

/// Passes in their order.
public struct Passes: Sendable {
  public let passes: [Pass]
  /// Whether the graph is checked after every pass.
  public let verifies: Bool

  public init(_ passes: [Pass], verifies: Bool = false) {
    self.passes = passes
    self.verifies = verifies
  }

  /// What a compiled forward pass goes through.
  public static let inference = Passes([
    .removeIdentities, .mergeCommon, .splitBatchNorm, .removeDead, .foldBatchNorm, .removeDead,
    .foldBatchNormAhead, .mergeCommon, .removeDead,
  ])

  /// The same passes with the check after each.
  public var verified: Passes { Passes(passes, verifies: true) }

  /// - Throws: ``PassError`` where a pass breaks the graph, which is a bug of that pass.
  public func run(_ graph: Graph) throws(PassError) -> Graph {
    var graph = graph
    for pass in passes {
      do {
        graph = try pass.rewrite(graph)
        if verifies { try graph.verify() }
      } catch {
        throw PassError(pass: pass.name, reason: "\(error)")
      }
    }
    return graph
  }
}

/// A pass whose result is not a valid graph.
public struct PassError: Error, Hashable, Sendable, CustomStringConvertible {
  public let pass: String
  public let reason: String

  public var description: String { "pass \(pass): \(reason)" }
}
