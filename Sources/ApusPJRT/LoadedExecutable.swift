import ApusIR
import ApusRuntime
import ApusStableHLO
import CPJRT

/// A compiled program on its device, ready to run; shared by any number of launchers.
public final class LoadedExecutable: @unchecked Sendable {
  public let device: Device
  /// What runs are given and return, in the layouts the program reads and writes.
  public let inputs: [PhysicalType]
  public let outputs: [PhysicalType]
  /// What is known of it before it runs.
  public let executable: Executable

  private let loaded: LoadedHandle

  var handle: OpaquePointer { loaded.pointer }

  /// - Throws: `unsupported` where its results are not those of the module.
  fileprivate init(
    _ loaded: LoadedHandle, _ module: StableHLOModule, _ device: Device
  ) throws(BackendError) {
    self.loaded = loaded
    self.device = device
    (inputs, outputs) = (module.inputs, module.outputs)
    let types: [TensorType]
    do throws(PluginFailure) {
      let answer = try device.functions.call(PJRTLoadedExecutableGetExecutable.self, on: loaded) {
        $0.loaded_executable = loaded.pointer
      }
      guard let executable = answer.executable else {
        throw PluginFailure(
          call: "PJRT_LoadedExecutable_GetExecutable", code: .unknown, message: "there is none")
      }
      self.executable = Executable(
        executable, of: loaded, device.client.plugin, target: "\(device.name)")
      types = try self.executable.outputTypes()
    } catch {
      throw error.backendError(on: "\(device.name)")
    }
    if types != outputs.map(\.physical) {
      throw .unsupported(
        "the compiled program must return \(outputs.map(\.physical)), got \(types)")
    }
  }
}

/// A plugin's loaded executable, and the client it lives on.
final class LoadedHandle {
  let pointer: OpaquePointer
  private let client: Client

  init(_ pointer: OpaquePointer, _ client: Client) {
    self.pointer = pointer
    self.client = client
  }

  deinit {
    client.plugin.functions.destroy(PJRTLoadedExecutableDestroy.self) { $0.executable = pointer }
  }
}

extension Device {
  /// Compiles a program for this device.
  ///
  /// - Parameter cache: where compiled programs are kept between processes.
  /// - Throws: the compiler's own words, which have the line and column of a mistake in the text.
  public func compile(
    _ module: StableHLOModule, _ options: CompileOptions = CompileOptions(),
    cache: ExecutableCache? = nil
  ) throws(BackendError) -> LoadedExecutable {
    let serializedOptions = options.serialized(device: number == 0 ? nil : id)
    let key = cache?.key(of: module.text, serializedOptions, for: self)
    if let cache, let key, let known = cache.load(key, module, self) { return known }
    let compiled = try compile(module, options, serializedOptions)
    if let cache, let key { cache.store(compiled.executable, key) }
    return compiled
  }

  private func compile(
    _ module: StableHLOModule, _ options: CompileOptions, _ serializedOptions: [UInt8]
  ) throws(BackendError) -> LoadedExecutable {
    let executable: OpaquePointer?
    do throws(PluginFailure) {
      executable = try withProgram(module.text, serializedOptions) {
        (program, options) throws(PluginFailure) in
        try functions.call(PJRTClientCompile.self, on: client, nested: program) {
          $0.client = client.handle
          $0.program = UnsafeRawPointer(program).assumingMemoryBound(to: PJRTProgram.self)
          $0.compile_options = options.baseAddress
          $0.compile_options_size = options.count
        }.executable
      }
    } catch {
      throw error.backendError(on: "\(name)", hint: error.compileHint(options, client.plugin))
    }
    guard let executable else {
      throw .library(call: "PJRT_Client_Compile", status: "it made no executable")
    }
    return try LoadedExecutable(LoadedHandle(executable, client), module, self)
  }

  /// Loads an executable that was written before.
  ///
  /// - Parameter module: the program it was compiled from.
  public func load(
    _ serialized: [UInt8], of module: StableHLOModule
  ) throws(BackendError) -> LoadedExecutable {
    let executable: OpaquePointer?
    do throws(PluginFailure) {
      executable = try serialized.withUnsafeBufferPointer { (bytes) throws(PluginFailure) in
        try functions.call(PJRTExecutableDeserializeAndLoad.self, on: client) {
          $0.client = client.handle
          $0.serialized_executable = UnsafeRawPointer(bytes.baseAddress)?
            .assumingMemoryBound(to: CChar.self)
          $0.serialized_executable_size = bytes.count
        }.loaded_executable
      }
    } catch {
      throw error.backendError(on: "\(name)")
    }
    guard let executable else {
      throw .library(call: "PJRT_Executable_DeserializeAndLoad", status: "it made no executable")
    }
    return try LoadedExecutable(LoadedHandle(executable, client), module, self)
  }
}

/// Calls `body` with a program and compile options as a plugin reads them.
func withProgram<Result>(
  _ program: String, _ options: [UInt8],
  _ body: (
    UnsafeMutablePointer<PJRTRoom>, UnsafeBufferPointer<CChar>
  ) throws(PluginFailure) -> Result
) throws(PluginFailure) -> Result {
  var room = PJRTRoom()
  let text = program.utf8.map(CChar.init(bitPattern:))
  let format = "mlir".utf8.map(CChar.init(bitPattern:))
  let options = options.map(CChar.init(bitPattern:))
  return try withUnsafeMutablePointer(to: &room) { (room) throws(PluginFailure) in
    try text.withUnsafeBufferPointer { (text) throws(PluginFailure) in
      try format.withUnsafeBufferPointer { (format) throws(PluginFailure) in
        let block = UnsafeMutableRawPointer(room).bindMemory(to: PJRTProgram.self, capacity: 1)
        block.pointee.struct_size = Int(PJRTProgramSize)
        block.pointee.code = UnsafeMutablePointer(mutating: text.baseAddress)
        block.pointee.code_size = text.count
        block.pointee.format = format.baseAddress
        block.pointee.format_size = format.count
        return try options.withUnsafeBufferPointer { (options) throws(PluginFailure) in
          try body(room, options)
        }
      }
    }
  }
}

extension PluginFailure {
  /// What may help with a program that does not compile.
  func compileHint(_ options: CompileOptions, _ plugin: Plugin) -> String? {
    if message.contains("compile option"), let flags = options.flagsDescription {
      return "the flags given were \(flags)"
    }
    if message.contains("error:") && message.contains(":") && code == .unknown {
      return "\(plugin.path) understands StableHLO \(plugin.stableHLOVersions)"
    }
    return nil
  }
}
