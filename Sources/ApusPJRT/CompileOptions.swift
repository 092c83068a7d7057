/// How XLA compiles a program: for one replica and one partition, and with which of its flags.
public struct CompileOptions: Hashable, Sendable {
  /// The value of a flag.
  public enum Flag: Hashable, Sendable {
    case string(String)
    case bool(Bool)
    case int64(Int64)
    case double(Double)
  }

  /// Flags by their names in XLA's `DebugOptions`, for instance `xla_gpu_autotune_level`.
  ///
  /// The plugin refuses names it does not know, where an unknown name in `XLA_FLAGS` would end the
  /// process.
  public var flags: [String: Flag]

  public init(flags: [String: Flag] = [:]) { self.flags = flags }

  /// The flags for a message, or `nil` where there are none.
  var flagsDescription: String? {
    flags.isEmpty
      ? nil
      : flags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }
}

extension CompileOptions.Flag: CustomStringConvertible {
  public var description: String {
    switch self {
    case .string(let value): value
    case .bool(let value): "\(value)"
    case .int64(let value): "\(value)"
    case .double(let value): "\(value)"
    }
  }
}

extension CompileOptions {
  /// The options as XLA's `CompileOptionsProto` (xla/pjrt/proto/compile_options.proto).
  ///
  /// There is always one replica and one partition: XLA ends the process where there are none.
  ///
  /// - Parameter device: the number, among all processes, of the device to compile for; `nil` for
  ///   the first.
  package func serialized(device: Int? = nil) -> [UInt8] {
    var build = ProtoWriter()
    build.number(4, 1)  // num_replicas
    build.number(5, 1)  // num_partitions
    if let device {
      var replicas = ProtoWriter()
      replicas.packed(1, [UInt64(device)])  // replica_device_ids
      var assignment = ProtoWriter()
      assignment.number(1, 1)  // replica_count
      assignment.number(2, 1)  // computation_count
      assignment.content(3, replicas.bytes)  // computation_devices
      build.content(9, assignment.bytes)  // device_assignment
    }
    var options = ProtoWriter()
    options.content(3, build.bytes)  // executable_build_options
    for (name, flag) in flags.sorted(by: { $0.key < $1.key }) {
      var entry = ProtoWriter()
      entry.content(1, Array(name.utf8))
      entry.content(2, flag.serialized)
      options.content(7, entry.bytes)  // env_option_overrides
    }
    return options.bytes
  }
}

extension CompileOptions.Flag {
  /// An `OptionOverrideProto`, whose value must be there even where it is 0.
  fileprivate var serialized: [UInt8] {
    var writer = ProtoWriter()
    switch self {
    case .string(let value): writer.content(1, Array(value.utf8))
    case .bool(let value): writer.number(2, value ? 1 : 0)
    case .int64(let value): writer.number(3, UInt64(bitPattern: value))
    case .double(let value): writer.double(4, value)
    }
    return writer.bytes
  }
}

/// Writes messages in the wire format of Protocol Buffers.
struct ProtoWriter {
  private(set) var bytes: [UInt8] = []

  /// Appends a number.
  mutating func number(_ field: UInt64, _ value: UInt64) {
    append(field << 3)
    append(value)
  }

  /// Appends text, or a message.
  mutating func content(_ field: UInt64, _ content: [UInt8]) {
    append(field << 3 | 2)
    append(UInt64(content.count))
    bytes += content
  }

  /// Appends numbers, packed.
  mutating func packed(_ field: UInt64, _ values: [UInt64]) {
    var packed = ProtoWriter()
    for value in values { packed.append(value) }
    content(field, packed.bytes)
  }

  /// Appends a number with a point.
  mutating func double(_ field: UInt64, _ value: Double) {
    append(field << 3 | 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  private mutating func append(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
