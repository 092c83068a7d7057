import ApusRuntime
import CPJRT
import Synchronization

/// A plugin at work: its devices, and everything compiled and stored on them.
public final class Client: @unchecked Sendable {
  public let plugin: Plugin
  /// What XLA calls the platform: `cpu`, `cuda`.
  public let platformName: String
  /// The versions of the platform's libraries, in its own words.
  public let platformVersion: String

  let handle: OpaquePointer
  private let devicePointers: [OpaquePointer]

  /// Starts a plugin.
  ///
  /// - Parameter options: the plugin's own, for instance `preallocate` and `memory_fraction` of the
  ///   CUDA plugin or `cpu_device_count` of the CPU plugin.
  /// - Throws: `deadlyFlags` for flags in the environment that the plugin does not know, `noDevice`,
  ///   `refused` for options it does not know.
  public init(_ plugin: Plugin, options: [String: OptionValue] = [:]) throws(PluginError) {
    try plugin.require(Trial())
    self.plugin = plugin
    let functions = plugin.functions
    let values = NamedValues(options)
    do throws(PluginFailure) {
      let handle = try functions.call(PJRTClientCreate.self, on: values) {
        $0.create_options = UnsafePointer(values.pointer)
        $0.num_options = values.count
      }.client
      guard let handle else {
        throw PluginFailure(
          call: "PJRT_Client_Create", code: .unknown, message: "it made no client")
      }
      self.handle = handle
      let name = try functions.call(PJRTClientPlatformName.self, on: plugin) { $0.client = handle }
      platformName = text(name.platform_name, name.platform_name_size)
      let version = try functions.call(PJRTClientPlatformVersion.self, on: plugin) {
        $0.client = handle
      }
      platformVersion = text(version.platform_version, version.platform_version_size)
      let devices = try functions.call(PJRTClientAddressableDevices.self, on: plugin) {
        $0.client = handle
      }
      devicePointers = UnsafeBufferPointer(
        start: devices.addressable_devices, count: devices.num_addressable_devices
      ).compactMap(\.self)
    } catch {
      throw Self.explain(error, plugin, options)
    }
    plugin.hasReadFlags()
  }

  deinit { plugin.functions.destroy(PJRTClientDestroy.self) { $0.client = handle } }

  private static func explain(
    _ failure: PluginFailure, _ plugin: Plugin, _ options: [String: OptionValue]
  ) -> PluginError {
    if failure.message.contains("No visible GPU devices") {
      return .noDevice(path: plugin.path, reason: failure.status)
    }
    let given = options.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
    let hint =
      failure.code == .invalidArgument && !given.isEmpty
      ? "the options given were \(given.joined(separator: ", "))" : nil
    return .refused(path: plugin.path, call: failure.call, reason: failure.status, hint: hint)
  }
}

extension Client {
  /// How many devices this process can use.
  public var deviceCount: Int { devicePointers.count }

  /// The devices this process can use.
  public var devices: [Device] { devicePointers.indices.map { Device(self, number: $0) } }

  /// A device by its number.
  public func device(_ number: Int = 0) throws(PluginError) -> Device {
    guard devicePointers.indices.contains(number) else {
      throw .noSuchDevice(
        DeviceName(platform: platformName, number: number), count: devicePointers.count)
    }
    return Device(self, number: number)
  }

  func pointer(ofDevice number: Int) -> OpaquePointer { devicePointers[number] }

  /// The device behind a plugin's pointer.
  func device(at pointer: OpaquePointer?) -> Device? {
    devicePointers.firstIndex { $0 == pointer }.map { Device(self, number: $0) }
  }
}

// MARK: - One client for all

extension Client {
  private struct Key: Hashable {
    let path: String
    let options: [String: OptionValue]
  }

  private struct Weak {
    weak var client: Client?
  }

  private static let shared = Mutex<[Key: Weak]>([:])

  /// The client with these options that somebody still uses, or else a new one: a second one would
  /// find the GPU's memory taken by the first.
  public static func shared(
    _ plugin: Plugin, options: [String: OptionValue] = [:]
  ) throws(PluginError) -> Client {
    let key = Key(path: plugin.path, options: options)
    return try shared.withLock { (shared) throws(PluginError) in
      if let client = shared[key]?.client { return client }
      let client = try Client(plugin, options: options)
      shared[key] = Weak(client: client)
      return client
    }
  }
}
