import Foundation

/// The machine a measurement runs on, and how busy it is at this moment.
public struct MachineState: Hashable, Sendable, Codable {
  public var host: String
  public var cpu: String
  /// Widest instruction set, such as "avx2"; nil when unknown.
  public var isa: String?
  /// Logical CPUs that are switched on.
  public var logicalCores: Int
  /// Numbers of the logical CPUs this process may run on.
  public var affinity: [Int]
  /// Physical cores with a logical CPU in `affinity`.
  public var physicalCores: Int
  /// CPUs the control groups allow, possibly a fraction; nil without a limit.
  public var cpuLimit: Double?
  /// Bytes the control groups allow; nil without a limit.
  public var memoryLimitBytes: Int?
  /// Bytes of physical memory of the machine.
  public var memoryBytes: Int?
  /// Frequency governor of the first usable CPU; nil where there is none, as in virtual machines.
  public var governor: String?
  /// Load averages over 1, 5 and 15 minutes.
  public var loadAverage: [Double]?
  /// Mean clock frequency of the usable CPUs in MHz.
  public var frequencyMHz: Double?
  /// Threads a computation gets by default.
  public var defaultThreadCount: Int

  private enum CodingKeys: String, CodingKey {
    case host, cpu, isa
    case logicalCores = "logical_cores"
    case affinity
    case physicalCores = "physical_cores"
    case cpuLimit = "cpu_limit"
    case memoryLimitBytes = "memory_limit_bytes"
    case memoryBytes = "memory_bytes"
    case governor
    case loadAverage = "load_average"
    case frequencyMHz = "frequency_mhz"
    case defaultThreadCount = "default_threads"
  }

  /// The state at this moment.
  public static func current() -> MachineState {
    MachineState(files: .live, host: hostName(), architecture: architecture())
  }

  /// The state that `files` describe.
  ///
  /// - Parameter architecture: stands in for the name of a processor that has none.
  public init(files: SystemFiles, host: String, architecture: String) {
    let online = CPUSet.online(in: files)
    let usable = CPUSet.affinity(in: files) ?? online ?? [0]
    let info = CPUInfo(parsing: files.text("/proc/cpuinfo") ?? "")
    let limits = CgroupLimits.current(in: files)
    let siblings = { ThreadCount.siblings(of: $0, in: files) }
    self.host = host
    cpu = info.model ?? architecture
    isa = info.isa
    logicalCores = (online ?? usable).count
    self.affinity = usable
    physicalCores = ThreadCount.physicalCores(affinity: usable, siblings: siblings)
    cpuLimit = limits.cpus
    memoryLimitBytes = limits.memoryBytes
    memoryBytes = files.text("/proc/meminfo").flatMap {
      ProcessMemory.bytes(of: "MemTotal", inStatus: $0)
    }
    governor = usable.first.flatMap { files.text(Self.frequencyFolder($0) + "scaling_governor") }
    loadAverage = files.text("/proc/loadavg").flatMap(Self.loadAverage(parsing:))
    frequencyMHz = Self.frequency(usable, info, files)
    defaultThreadCount = ThreadCount.standard(
      affinity: usable, siblings: siblings, cpuLimit: limits.cpus)
  }

  /// CPUs this process can really use: those of the mask, or fewer by the control group's limit.
  public var usableCPUs: Double {
    min(Double(max(1, affinity.count)), cpuLimit ?? .infinity)
  }

  /// The three load averages of a `/proc/loadavg` text.
  public static func loadAverage(parsing text: String) -> [Double]? {
    let words = text.split(whereSeparator: \.isWhitespace).prefix(3).compactMap { Double($0) }
    return words.count == 3 && words.allSatisfy { $0.isFinite && $0 >= 0 } ? words : nil
  }

  private static func frequencyFolder(_ cpu: Int) -> String {
    "/sys/devices/system/cpu/cpu\(cpu)/cpufreq/"
  }

  private static func frequency(
    _ cpus: [Int], _ info: CPUInfo, _ files: SystemFiles
  ) -> Double? {
    let scaled = cpus.compactMap { cpu in
      files.text(frequencyFolder(cpu) + "scaling_cur_freq").flatMap { Double($0) }
    }
    let frequencies = scaled.isEmpty ? info.frequenciesMHz : scaled.map { $0 / 1000 }
    return Statistics(frequencies)?.mean
  }
}

private func hostName() -> String {
  var name = utsname()
  guard uname(&name) == 0 else { return "unknown" }
  return withUnsafeBytes(of: &name.nodename) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

private func architecture() -> String {
  var name = utsname()
  guard uname(&name) == 0 else { return "unknown" }
  return withUnsafeBytes(of: &name.machine) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
