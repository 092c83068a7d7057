/// A loss, optimiser or schedule that was given a number it cannot work with.
public struct SettingError: Error, Hashable, Sendable {
  /// What was made, for instance `SGD`.
  public let subject: String
  /// What must hold.
  public let requirement: String
  /// What was given instead.
  public let given: String
}

extension SettingError: CustomStringConvertible {
  public var description: String { "\(subject): \(requirement), got \(given)" }
}

/// Throws the error of a setting unless `condition` holds.
func requireSetting(
  _ condition: Bool, _ subject: String, _ requirement: String, got given: some Sendable
) throws(SettingError) {
  if !condition {
    throw SettingError(subject: subject, requirement: requirement, given: "\(given)")
  }
}
