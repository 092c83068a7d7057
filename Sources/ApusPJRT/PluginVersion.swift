/// A version of the PJRT API, or of StableHLO.
public struct PluginVersion: Hashable, Comparable, Sendable {
  public let numbers: [Int]

  public init(_ numbers: Int...) { self.numbers = numbers }

  init(_ numbers: [Int]) { self.numbers = numbers }

  /// The oldest API whose structures Apus knows.
  static let oldest = PluginVersion(0, 81)

  public static func < (left: PluginVersion, right: PluginVersion) -> Bool {
    left.numbers.lexicographicallyPrecedes(right.numbers)
  }
}

extension PluginVersion: CustomStringConvertible {
  public var description: String { numbers.map(String.init).joined(separator: ".") }
}
