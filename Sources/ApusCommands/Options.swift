import ApusBench
import ApusOneDNN
import ArgumentParser

/// Values separated by commas; each is a cell of a sweep.
struct CommaList<Element: ExpressibleByArgument & Sendable>: ExpressibleByArgument, Sendable {
  let elements: [Element]

  init(_ elements: [Element]) { self.elements = elements }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let elements = parts.compactMap { Element(argument: String($0)) }
    guard elements.count == parts.count else { return nil }
    self.elements = elements
  }

  var defaultValueDescription: String {
    elements.map(\.defaultValueDescription).joined(separator: ",")
  }
}

/// A number that is at least 1.
struct PositiveInt: ExpressibleByArgument, Sendable {
  let value: Int

  init(_ value: Int) { self.value = value }

  init?(argument: String) {
    guard let value = Int(argument), value >= 1, value <= 1 << 30 else { return nil }
    self.value = value
  }

  var defaultValueDescription: String { "\(value)" }
}

/// A number of threads, or `auto` for what the machine allows.
struct ThreadCountOption: ExpressibleByArgument, Sendable {
  /// `nil` for `auto`.
  let value: Int?

  static let auto = ThreadCountOption(value: nil)

  private init(value: Int?) { self.value = value }

  init?(argument: String) {
    if argument == "auto" {
      self = .auto
    } else if let count = Int(argument), (1...1024).contains(count) {
      value = count
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { value.map(String.init) ?? "auto" }

  /// The number of threads: one for each physical core the process may use, unless told.
  func count(on machine: MachineState) -> Int { value ?? machine.defaultThreadCount }
}

/// A length of time: `3s`, `200ms`, `5m`, or a number of seconds.
struct DurationOption: ExpressibleByArgument, Sendable {
  let duration: Duration

  init(_ duration: Duration) { self.duration = duration }

  init?(argument: String) {
    let units: [(String, Double)] = [("ms", 1e-3), ("s", 1), ("m", 60), ("", 1)]
    guard let (unit, scale) = units.first(where: { argument.hasSuffix($0.0) }),
      let number = Double(argument.dropLast(unit.count)), number.isFinite, number >= 0,
      number * scale < 1e6
    else { return nil }
    duration = .seconds(number * scale)
  }

  var defaultValueDescription: String {
    "\(duration / .seconds(1))s".replacing(".0s", with: "s")
  }
}

enum ExecutionOption: String, ExpressibleByArgument, CaseIterable, Sendable {
  case eager, compiled

  var mode: OneDNNBackend.Mode {
    switch self {
    case .eager: .eager
    case .compiled: .compiled
    }
  }
}

/// What a single result is printed as.
enum TextFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case table, json
}
