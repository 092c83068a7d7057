import ApusRuntime
import CPJRT

/// A device that a client computes on.
public struct Device: Sendable {
  public let client: Client
  /// Its place among the client's devices.
  public let number: Int

  init(_ client: Client, number: Int) {
    self.client = client
    self.number = number
  }

  /// The device of a name: finds the platform's plugin, loads and starts it.
  ///
  /// - Parameters:
  ///   - plugin: the plugin's file, where a user names one.
  ///   - options: see ``Client/init(_:options:)``.
  public static func open(
    _ name: DeviceName, plugin file: String? = nil, options: [String: OptionValue] = [:]
  ) throws(PluginError) -> Device {
    let plugin = try Plugin.load(PluginSearch(platform: name.platform, file: file))
    let client = try Client.shared(plugin, options: options)
    guard client.platformName == name.platform else {
      throw .wrongPlatform(
        path: plugin.path, expected: name.platform, found: client.platformName)
    }
    return try client.device(name.number)
  }

  /// How users name it.
  public var name: DeviceName { DeviceName(platform: client.platformName, number: number) }

  var pointer: OpaquePointer { client.pointer(ofDevice: number) }
  var functions: FunctionTable { client.plugin.functions }
}

extension Device {
  /// What it is sold as, for instance `NVIDIA H200`.
  public var kind: String {
    let answer = try? functions.call(PJRTDeviceDescriptionKind.self, on: client) {
      $0.device_description = description
    }
    return answer.map { text($0.device_kind, $0.device_kind_size) } ?? ""
  }

  /// Its number among the devices of all processes.
  var id: Int {
    let answer = try? functions.call(PJRTDeviceDescriptionId.self, on: client) {
      $0.device_description = description
    }
    return answer.map { Int($0.id) } ?? number
  }

  private var description: OpaquePointer? {
    try? functions.call(PJRTDeviceGetDescription.self, on: client) { $0.device = pointer }
      .device_description
  }
}

extension Device {
  /// What the device's memory is used for; `nil` where its plugin does not count.
  public func memoryStatistics() throws(BackendError) -> MemoryStatistics? {
    do {
      let answer = try functions.call(PJRTDeviceMemoryStats.self, on: client) {
        $0.device = pointer
      }
      return MemoryStatistics(answer)
    } catch {
      if error.code == .unimplemented { return nil }
      throw error.backendError(on: "\(name)")
    }
  }

  /// Lets the peak begin anew at what is in use now.
  ///
  /// - Returns: whether the plugin can.
  public func clearMemoryStatistics() throws(BackendError) -> Bool {
    do {
      try functions.call(PJRTDeviceClearMemoryStats.self, on: client) { $0.device = pointer }
      return true
    } catch {
      if error.code == .unimplemented { return false }
      throw error.backendError(on: "\(name)")
    }
  }
}
