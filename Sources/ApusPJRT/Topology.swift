import ApusRuntime
import ApusStableHLO
import CPJRT

/// A device that is not there, described well enough to compile for.
public final class Topology: @unchecked Sendable {
  public let plugin: Plugin
  private let handle: OpaquePointer

  /// - Parameters:
  ///   - target: XLA's description of a GPU, the text of a `GpuTargetConfigProto`; XLA writes that
  ///     of a GPU which is there as `gpu_target_config.pbtxt` into the folder of `xla_dump_to`.
  /// - Throws: `badTarget` where numbers are missing, `refused` for a text the plugin does not
  ///   understand, `deadlyFlags` for flags in the environment that it does not know.
  public init(_ plugin: Plugin, target: String) throws(PluginError) {
    let missing = Self.divisors.filter { !Self.hasPositiveNumber($0, target) }
    if !missing.isEmpty { throw .badTarget(missing: missing) }
    try plugin.require(Trial(target: target))
    self.plugin = plugin
    let options = NamedValues(["target_config": .string(target), "topology": .string("1x1x1")])
    do throws(PluginFailure) {
      let topology = try plugin.functions.call(PJRTTopologyDescriptionCreate.self, on: options) {
        $0.create_options = UnsafePointer(options.pointer)
        $0.num_options = options.count
      }.topology
      guard let topology else {
        throw PluginFailure(
          call: "PJRT_TopologyDescription_Create", code: .unknown, message: "it made none")
      }
      handle = topology
    } catch {
      throw .refused(path: plugin.path, call: error.call, reason: error.status, hint: nil)
    }
  }

  /// XLA divides by these, and the process ends where they are not there.
  private static let divisors = [
    "threads_per_warp", "threads_per_block_limit", "threads_per_core_limit", "core_count",
    "block_dim_limit_x", "block_dim_limit_y", "block_dim_limit_z",
  ]

  /// Whether a text of Protocol Buffers gives a field a number above 0.
  private static func hasPositiveNumber(_ field: String, _ text: String) -> Bool {
    let words = text.split { $0.isWhitespace || $0 == ":" || $0 == "{" || $0 == "}" }
    return zip(words, words.dropFirst()).contains { $0 == field && (Int($1) ?? 0) > 0 }
  }

  deinit {
    plugin.functions.destroy(PJRTTopologyDescriptionDestroy.self) { $0.topology = handle }
  }

  /// Compiles a program for the device; it can be looked at, but not run.
  public func compile(
    _ module: StableHLOModule, _ options: CompileOptions = CompileOptions()
  ) throws(BackendError) -> Executable {
    let target = "a device described to \(plugin.path)"
    let executable: OpaquePointer?
    do throws(PluginFailure) {
      executable = try withProgram(module.text, options.serialized()) {
        (program, options) throws(PluginFailure) in
        try plugin.functions.call(PJRTCompile.self, on: self, nested: program) {
          $0.topology = handle
          $0.program = UnsafeRawPointer(program).assumingMemoryBound(to: PJRTProgram.self)
          $0.compile_options = options.baseAddress
          $0.compile_options_size = options.count
        }.executable
      }
    } catch {
      throw error.backendError(on: target, hint: error.compileHint(options, plugin))
    }
    plugin.hasReadFlags()
    guard let executable else {
      throw .library(call: "PJRT_Compile", status: "it made no executable")
    }
    return Executable(executable, plugin, target: target)
  }
}
