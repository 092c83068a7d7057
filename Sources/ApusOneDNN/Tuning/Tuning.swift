/// How much of compiling is spent on timing alternatives.
public enum Tuning: String, CaseIterable, Sendable {
  /// Nothing: fixed rules decide, which are the same on all processors with the same vectors.
  case off
  /// Two seconds for a network, but for what the cache knows.
  case quick
  /// As long as it takes to time all alternatives.
  case full

  /// What may be spent on one network.
  var budget: Duration {
    switch self {
    case .off: .zero
    case .quick: .seconds(2)
    case .full: .seconds(3600)
    }
  }

  /// How often an alternative runs at most, besides a first time that does not count.
  var runs: Int { self == .full ? 20 : 5 }
}
