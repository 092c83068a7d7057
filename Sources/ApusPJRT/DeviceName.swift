/// How users name an XLA device: `xla:cpu`, `xla:cuda`, `xla:cuda:1`.
public struct DeviceName: Hashable, Sendable {
  /// What XLA calls the devices of a plugin: `cpu`, `cuda`.
  public let platform: String
  /// Which of the platform's devices.
  public let number: Int

  public init(platform: String, number: Int = 0) {
    self.platform = platform
    self.number = number
  }

  /// Reads a name.
  ///
  /// - Throws: `badDeviceName` with what names look like.
  public init(_ text: String) throws(PluginError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let number = parts.count == 3 ? Int(parts[2]) : 0
    guard parts.count == 2 || parts.count == 3, parts[0] == "xla", Self.isPlatform(parts[1]),
      let number, (0...65535).contains(number)
    else { throw .badDeviceName(text) }
    self.init(platform: String(parts[1]), number: number)
  }

  private static func isPlatform(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
      }
  }
}

extension DeviceName: CustomStringConvertible {
  public var description: String {
    number == 0 ? "xla:\(platform)" : "xla:\(platform):\(number)"
  }
}
