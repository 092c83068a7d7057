import ApusIR
import ApusPasses
import ApusRuntime
import ApusStableHLO

/// Runs graphs on an XLA device.
public struct XLABackend: Backend {
  public enum Mode: Hashable, Sendable {
    /// A small program for each node, one after the other.
    case eager
    /// The whole graph as one program, with what depends on parameters alone computed before.
    case compiled
  }

  public let device: Device
  public let mode: Mode
  public let precision: Precision
  /// What the compiler is told.
  public let options: CompileOptions
  /// Where compiled programs are kept between processes.
  public let cache: ExecutableCache?
  /// Whether the graph is checked after every pass.
  public let verifies: Bool

  public var name: String { "\(device.name)" }

  public init(
    _ device: Device, _ mode: Mode = .compiled, precision: Precision = .float32,
    options: CompileOptions = CompileOptions(), cache: ExecutableCache? = nil,
    verifies: Bool = false
  ) {
    self.device = device
    self.mode = mode
    self.precision = precision
    self.options = options
    self.cache = cache
    self.verifies = verifies
  }

  public func compile(
    _ graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> any Program {
    let split = try XLALowering(mode, precision, verifies: verifies).split(graph)
    let statics = try StaticInputs(self, split, parameters)
    let code =
      switch mode {
      case .compiled:
        XLAProgram.Code.whole(try device.compile(module(for: split.run), options, cache: cache))
      case .eager: XLAProgram.Code.nodes(try NodePrograms(split.run, self))
      }
    return try XLAProgram(graph, split.run, code, statics, device)
  }

  func module(for graph: Graph) throws(BackendError) -> StableHLOModule {
    do {
      return try precision.emitter.module(for: graph)
    } catch {
      throw .unsupported("\(error)")
    }
  }
}
