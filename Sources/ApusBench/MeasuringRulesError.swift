/// Why measuring rules cannot be followed.
public enum MeasuringRulesError: Error, Hashable, Sendable {
  case belowLimit(rule: String, limit: String, given: String)
  case aboveLimit(rule: String, limit: String, given: String)
  case notAFraction(rule: String, given: Double)
  case minimumAboveMaximum(minimum: String, String, maximum: String, String)
}

extension MeasuringRulesError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .belowLimit(let rule, let limit, let given), .aboveLimit(let rule, let limit, let given):
      "measuring rules: \(rule) must be \(limit), got \(given)"
    case .notAFraction(let rule, let given):
      "measuring rules: \(rule) must lie between 0 and 1 (5 % is 0.05), got \(given)"
    case .minimumAboveMaximum(let minimum, let least, let maximum, let most):
      "measuring rules: \(minimum) must be at most \(maximum), got \(least) and \(most);"
        + " raise \(maximum) or lower \(minimum)"
    }
  }
}
