import CPJRT
import Foundation
import Synchronization

/// A PJRT plugin: a shared library through which XLA compiles for the devices of one platform.
///
/// A library is loaded once in a process, and stays.
public final class Plugin: Sendable {
  /// The library's file, links resolved.
  public let path: String
  /// The version of its PJRT API.
  public let apiVersion: PluginVersion
  /// What it says of itself, for instance the versions of StableHLO that it understands.
  public let attributes: [String: OptionValue]

  let functions: FunctionTable
  private let flags = Mutex(Flags())

  /// What is known of the flags in the environment.
  private struct Flags {
    /// Whether XLA has read them, which it does once in a process.
    var areRead = false
    var trials: [Trial: PluginError?] = [:]
  }

  private static let loaded = Mutex<[String: Plugin]>([:])
  private static let found = Mutex<[PluginSearch: Plugin]>([:])

  /// Loads the plugin of a platform, wherever it is found.
  public static func load(_ search: PluginSearch) throws(PluginError) -> Plugin {
    // Asking Python takes longer than everything else.
    if let known = found.withLock({ $0[search] }) { return known }
    let plugin = try load(path: search.run())
    found.withLock { $0[search] = plugin }
    return plugin
  }

  /// Loads a plugin from its file, unless it has been loaded before.
  public static func load(path: String) throws(PluginError) -> Plugin {
    let flaw = try ELFFile.flaw(of: path)
    if let flaw { throw .notALibrary(path: path, reason: flaw) }
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    return try loaded.withLock { (loaded) throws(PluginError) in
      if let plugin = loaded[real] { return plugin }
      let plugin = try Plugin(path: real)
      loaded[real] = plugin
      return plugin
    }
  }

  private init(path: String) throws(PluginError) {
    CUDALibraries.load(besides: path)
    let table = try Self.table(path)
    self.path = path
    functions = FunctionTable(address: table)
    apiVersion = PluginVersion(Int(table.pointee.major_version), Int(table.pointee.minor_version))
    guard apiVersion >= .oldest, table.pointee.major_version == 0 else {
      throw .wrongVersion(path: path, found: apiVersion)
    }
    for function in Self.needed where functions.pointer(function) == nil {
      throw .notAPlugin(path: path, reason: "its table has no \(function.name)")
    }
    do {
      try functions.call(PJRTPluginInitialize.self, on: nil) { _ in }
      let answer = try functions.call(PJRTPluginAttributes.self, on: nil) { _ in }
      attributes = OptionValue.dictionary(answer.attributes, count: answer.num_attributes)
    } catch {
      throw .refused(path: path, call: error.call, reason: error.status, hint: nil)
    }
  }

  /// The table of a library's functions, once the library is loaded.
  private static func table(_ path: String) throws(PluginError) -> UnsafePointer<PJRTTable> {
    guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw loaderError(path, String(cString: dlerror()))
    }
    typealias GetAPI = @convention(c) () -> UnsafePointer<PJRTTable>?
    guard let symbol = dlsym(library, "GetPjrtApi") else {
      throw .notAPlugin(path: path, reason: "it has no function GetPjrtApi")
    }
    guard let table = unsafeBitCast(symbol, to: GetAPI.self)() else {
      throw .notAPlugin(path: path, reason: "its GetPjrtApi returns nothing")
    }
    guard table.pointee.struct_size >= MemoryLayout<PJRTTable>.size else {
      throw .notAPlugin(
        path: path, reason: "its table of \(table.pointee.struct_size) bytes holds no version")
    }
    return table
  }

  /// What every plugin of the oldest version has, and nothing works without.
  private static let needed = [
    PJRTErrorDestroy.function, PJRTErrorMessage.function, PJRTErrorGetCode.function,
    PJRTPluginInitialize.function, PJRTPluginAttributes.function, PJRTEventDestroy.function,
    PJRTEventAwait.function, PJRTClientCreate.function, PJRTClientCompile.function,
    PJRTLoadedExecutableExecute.function, PJRTBufferDestroy.function,
    PJRTBufferToHostBuffer.function, PJRTClientBufferFromHostBuffer.function,
  ]

  /// The loader's words are "FILE: REASON"; where the file is not the plugin, the plugin needs it.
  private static func loaderError(_ path: String, _ words: String) -> PluginError {
    let parts = words.split(separator: ": ", maxSplits: 1).map(String.init)
    if parts.count == 2, parts[0] != path, parts[1].hasPrefix("cannot open shared object file") {
      return .missingLibrary(path: path, library: parts[0])
    }
    return .refusedByLoader(path: path, reason: parts.last ?? words)
  }
}

extension Plugin {
  /// The StableHLO that the plugin understands, for messages.
  public var stableHLOVersions: String {
    func version(_ name: String) -> String? {
      guard case .int64List(let numbers) = attributes[name] else { return nil }
      return PluginVersion(numbers.map(Int.init)).description
    }
    let newest = version("stablehlo_current_version") ?? "unknown"
    return version("stablehlo_minimum_version").map { "\($0) to \(newest)" } ?? newest
  }

  /// Throws where flags in the environment would end the process; tried once, in a child process,
  /// before the plugin is first used.
  package func require(_ trial: Trial) throws(PluginError) {
    let error: PluginError? = flags.withLock { flags in
      // What it has survived cannot end it any more; and a child of a process in which the plugin
      // is at work would wait for threads that it does not have.
      if flags.areRead { return nil }
      if let known = flags.trials[trial] { return known }
      let error = trial.run(self)
      flags.trials.updateValue(error, forKey: trial)
      return error
    }
    if let error { throw error }
  }

  /// Notes that XLA has read its flags and lives.
  func hasReadFlags() { flags.withLock { $0.areRead = true } }
}
