import ApusIR
import ApusPasses
import ApusRuntime
import ApusStableHLO

/// The passes before StableHLO is written.
public struct XLALowering: Sendable {
  private let passes: Passes
  private let precision: Precision

  public init(
    _ mode: XLABackend.Mode = .compiled, _ precision: Precision = .float32, verifies: Bool = false
  ) {
    var passes = mode == .compiled ? Passes.inference.passes : []
    if let dtype = precision.lowered {
      passes += [.narrowing(to: dtype), .mergeCommon, .removeDead]
    }
    self.passes = Passes(passes, verifies: verifies)
    self.precision = precision
  }

  /// The whole graph as one module, parameters and all.
  public func module(
    _ graph: Graph
  ) throws(BackendError) -> (graph: Graph, module: StableHLOModule) {
    do {
      let graph = try passes.run(graph)
      return (graph, try precision.emitter.module(for: graph))
    } catch {
      throw .unsupported("\(error)")
    }
  }

  /// The graph as it is run, and what is computed of the parameters before.
  public func split(_ graph: Graph) throws(BackendError) -> SplitGraph {
    do {
      return try SplitGraph(passes.run(graph))
    } catch {
      throw .unsupported("\(error)")
    }
  }
}

extension Pass {
  /// A run that updates parameters or statistics keeps what they are made of in `float32`.
  fileprivate static func narrowing(to dtype: DType) -> Pass {
    Pass("narrowing") { graph throws(GraphError) in
      let pass = graph.updatedPaths.isEmpty ? lowerPrecision(to: dtype) : mixPrecision(to: dtype)
      return try pass.rewrite(graph)
    }
  }
}
