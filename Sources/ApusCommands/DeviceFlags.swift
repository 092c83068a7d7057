import Apus
import ApusOneDNN
import ApusPJRT
import ArgumentParser

/// Where networks run, by the names of `--device`.
enum DeviceOption: OptionValue, Hashable {
  /// oneDNN on this machine's processor.
  case cpu
  case xla(DeviceName)

  init(parsing argument: String) throws(ValidationError) {
    if argument == "cpu" {
      self = .cpu
    } else if let name = try? DeviceName(argument) {
      self = .xla(name)
    } else {
      throw ValidationError(
        "must be cpu, xla:cpu, xla:cuda or xla:cuda:NUMBER, got \"\(argument.printable)\"")
    }
  }

  var isCPU: Bool { self == .cpu }
}

extension DeviceOption: CustomStringConvertible {
  var description: String {
    switch self {
    case .cpu: "cpu"
    case .xla(let name): name.description
    }
  }
}

/// The numbers a network computes in.
struct PrecisionOption: OptionValue, Hashable {
  let precision: Precision

  static let float32 = PrecisionOption(precision: .float32)

  private init(precision: Precision) { self.precision = precision }

  init(parsing argument: String) throws(ValidationError) {
    guard let precision = Precision(rawValue: argument) else {
      let names = Precision.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("must be one of \(names), got \"\(argument.printable)\"")
    }
    self.precision = precision
  }

  /// - Throws: a usage error where the device does not compute in these numbers.
  func require(on device: DeviceOption) throws(ValidationError) {
    if device.isCPU && precision != .float32 {
      throw ValidationError(
        "--precision \(precision.rawValue): the device cpu computes in fp32; "
          + "use --device xla:cpu or xla:cuda")
    }
  }
}

/// A flag of XLA's compiler: `NAME=VALUE`.
struct XLAFlag: OptionValue {
  let name: String
  let value: CompileOptions.Flag

  init(parsing argument: String) throws(ValidationError) {
    guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
      throw ValidationError(
        "must be NAME=VALUE, such as xla_gpu_autotune_level=0, got \"\(argument.printable)\"")
    }
    name = String(argument[..<equals])
    let text = String(argument[argument.index(after: equals)...])
    value = Self.value(of: text)
  }

  private static func value(of text: String) -> CompileOptions.Flag {
    if let flag = Bool(text) { return .bool(flag) }
    if let number = Int64(text) { return .int64(number) }
    if let number = Double(text) { return .double(number) }
    return .string(text)
  }
}

/// What is told to XLA devices.
struct XLAFlags: ParsableArguments {
  @Option(
    help:
      "The PJRT plugin of XLA devices (default: $APUS_PJRT_PLUGIN, or one of Python's packages).",
    completion: .file())
  var plugin: String?

  @Option(
    name: .customLong("xla-option"),
    help: ArgumentHelp(
      "A flag for XLA's compiler.", discussion: "May be given several times.",
      valueName: "name=value"),
    transform: XLAFlag.init(parsing:))
  var options: [XLAFlag] = []
}

/// The devices of a command, opened once: a client of a GPU takes its memory for itself.
struct OpenDevices {
  private var devices: [DeviceName: Device] = [:]
  private let options: CompileOptions
  private let cache: ExecutableCache?
  let cpu: CPUFlags

  init(_ devices: [DeviceOption], _ cpu: CPUFlags, _ flags: XLAFlags) throws {
    self.cpu = cpu
    options = CompileOptions(
      flags: Dictionary(flags.options.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
    var usesXLA = false
    for case .xla(let name) in devices {
      self.devices[name] = try Device.open(name, plugin: flags.plugin)
      usesXLA = true
    }
    cache = usesXLA ? ExecutableCache() : nil
  }

  /// The XLA device of a name.
  subscript(option: DeviceOption) -> Device? {
    if case .xla(let name) = option { devices[name] } else { nil }
  }

  /// - Parameter threads: of the CPU; XLA has its own.
  func backend(
    _ option: DeviceOption, _ execution: ExecutionOption, _ precision: PrecisionOption,
    threads: Int
  ) -> any Backend {
    guard let device = self[option] else {
      return cpu.backend(execution, threads: threads)
    }
    return XLABackend(
      device, execution.xlaMode, precision: precision.precision, options: options, cache: cache)
  }
}

extension ExecutionOption {
  fileprivate var xlaMode: XLABackend.Mode {
    switch self {
    case .eager: .eager
    case .compiled: .compiled
    }
  }
}
