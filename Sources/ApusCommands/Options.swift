import Apus
import ApusBench
import ApusOneDNN
import ArgumentParser

/// The value of an option, which says what must hold where an argument cannot be one.
///
/// The help of such an option names its default: the parser shows that of other options only.
protocol OptionValue: Sendable {
  init(parsing argument: String) throws(ValidationError)
}

extension OptionValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  /// The values, as a sentence lists them.
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

  init(parsing argument: String) throws(ValidationError) {
    guard let value = Self(rawValue: argument) else {
      throw ValidationError("must be one of \(Self.names), got \"\(argument.printable)\"")
    }
    self = value
  }
}

/// Values separated by commas; each is a cell of a sweep.
struct CommaList<Element: OptionValue>: OptionValue {
  let elements: [Element]

  init(_ elements: [Element]) { self.elements = elements }

  init(parsing argument: String) throws(ValidationError) {
    var elements: [Element] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      if part.isEmpty {
        throw ValidationError("a comma must stand between two values, got \"\(argument)\"")
      }
      elements.append(try Element(parsing: String(part)))
    }
    self.elements = elements
  }
}

extension Optional {
  /// The values of a list, or none where there is no list.
  func choices<Element>() -> [Element?] where Wrapped == CommaList<Element> {
    map { list in list.elements.map { $0 } } ?? [nil]
  }
}

/// A network of the catalogue, by its name.
struct ModelOption: OptionValue {
  let model: Model

  init(parsing argument: String) throws(ValidationError) {
    model = try ApusCommand.model(named: argument)
  }
}

/// Networks of the catalogue: one by its name, or all that match a pattern such as `vgg*`.
struct ModelPattern: OptionValue {
  let models: [Model]

  init(parsing argument: String) throws(ValidationError) {
    guard argument.contains(where: { "*?".contains($0) }) else {
      models = [try ApusCommand.model(named: argument)]
      return
    }
    let glob = Glob(argument)
    models = ApusCommand.catalogue.withLock { $0.models }.filter { glob.matches($0.name) }
    if models.isEmpty {
      throw ValidationError(
        "must match the name of a network, got \"\(argument.printable)\"; see `apus models`")
    }
  }
}

/// A number that is at least 1.
struct PositiveInt: OptionValue {
  let value: Int

  init(_ value: Int) { self.value = value }

  init(parsing argument: String) throws(ValidationError) {
    guard let value = Int(argument), value >= 1, value <= 1 << 30 else {
      throw ValidationError("must be a whole number from 1 to \(1 << 30), got \"\(argument)\"")
    }
    self.value = value
  }

}

/// How many images run together, or `max`: as many as memory holds.
enum BatchOption: OptionValue {
  case size(Int)
  case max

  init(parsing argument: String) throws(ValidationError) {
    if argument == "max" {
      self = .max
      return
    }
    do throws(ValidationError) {
      self = .size(try PositiveInt(parsing: argument).value)
    } catch {
      throw ValidationError(
        "must be max or a whole number from 1 to \(1 << 30), got \"\(argument.printable)\"")
    }
  }
}

/// An amount of memory: `8GiB`, `512MiB`, `1.5GB`, or a number of bytes.
struct ByteSize: OptionValue {
  let bytes: Int

  init(parsing argument: String) throws(ValidationError) {
    let prefixes = [("k", 1), ("m", 2), ("g", 3), ("t", 4)]
    let units = prefixes.flatMap { letter, power in
      [("\(letter)ib", Self.power(1024, power)), ("\(letter)b", Self.power(1000, power))]
    }
    let text = argument.lowercased()
    guard let (unit, scale) = (units + [("b", 1), ("", 1)]).first(where: { text.hasSuffix($0.0) }),
      let number = Double(text.dropLast(unit.count)), number.isFinite, number * scale >= 1,
      number * scale < 0x1p60
    else {
      throw ValidationError(
        "must be an amount of memory such as 8GiB, 512MiB or a number of bytes, "
          + "got \"\(argument.printable)\"")
    }
    bytes = Int(number * scale)
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}

/// A number of threads, or `auto` for what the machine allows.
struct ThreadCountOption: OptionValue {
  /// `nil` for `auto`.
  let value: Int?

  static let auto = ThreadCountOption(value: nil)

  private init(value: Int?) { self.value = value }

  init(parsing argument: String) throws(ValidationError) {
    if argument == "auto" {
      self = .auto
    } else if let count = Int(argument), (1...1024).contains(count) {
      value = count
    } else {
      throw ValidationError("must be auto or a whole number from 1 to 1024, got \"\(argument)\"")
    }
  }

  /// The number of threads: one for each physical core the process may use, unless told.
  func count(on machine: MachineState) -> Int { value ?? machine.defaultThreadCount }
}

/// A length of time: `3s`, `200ms`, `5m`, or a number of seconds.
struct DurationOption: OptionValue {
  let duration: Duration

  init(_ duration: Duration) { self.duration = duration }

  init(parsing argument: String) throws(ValidationError) {
    let units: [(String, Double)] = [("ms", 1e-3), ("s", 1), ("m", 60), ("", 1)]
    guard let (unit, scale) = units.first(where: { argument.hasSuffix($0.0) }),
      let number = Double(argument.dropLast(unit.count)), number.isFinite, number >= 0,
      number * scale < 1e6
    else {
      throw ValidationError(
        "must be a time of at least 0 and below 10⁶ seconds, such as 3s, 500ms or 5m, "
          + "got \"\(argument)\"")
    }
    duration = .seconds(number * scale)
  }
}

enum ExecutionOption: String, OptionValue, ExpressibleByArgument, CaseIterable {
  case eager, compiled

  init(parsing argument: String) throws(ValidationError) {
    guard let execution = Self(rawValue: argument) else {
      throw ValidationError("must be eager or compiled, got \"\(argument)\"")
    }
    self = execution
  }

  var mode: OneDNNBackend.Mode {
    switch self {
    case .eager: .eager
    case .compiled: .compiled
    }
  }
}

/// What of a network is run.
enum ModeOption: String, OptionValue, CaseIterable {
  /// The forward pass.
  case infer
  /// Whole training steps.
  case train
  /// Training steps that end with the gradients.
  case forwardBackward = "forward-backward"

  init(parsing argument: String) throws(ValidationError) {
    guard let mode = Self(rawValue: argument) else {
      throw ValidationError(
        "must be infer, train or forward-backward, got \"\(argument.printable)\"")
    }
    self = mode
  }

  /// What the graph of a training step computes; `nil` for a forward pass.
  var step: TrainingStep? {
    switch self {
    case .infer: nil
    case .train: .update
    case .forwardBackward: .gradients
    }
  }
}

/// What a single result is printed as.
enum TextFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case table, json
}
