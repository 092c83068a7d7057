/// What of a machine makes it slow or unsteady, and how to change it.
public enum MachineAdvice: Hashable, Sendable {
  case powersaveGovernor(String)
  case loaded(loadAverage: Double, cpus: Double)
  case cpuLimit(Double, cpus: Int)
  case littleMemory(bytes: Int)
  case noHugePages
  case noisy(Double)
  case stolen(Double)
  case narrowVectors(String?)
  case variable(name: String, value: String, effect: String)

  /// What there is to say.
  ///
  /// - Parameters:
  ///   - hugePages: the mode of transparent huge pages, such as "madvise".
  ///   - environment: the process's variables.
  public static func about(
    _ machine: MachineState, hugePages: String?, noise: NoiseCheck?,
    environment: [String: String]
  ) -> [MachineAdvice] {
    var advice: [MachineAdvice] = []
    if let isa = machine.isa, !isa.hasPrefix("avx512"), !["amx", "avx2", "avx_vnni"].contains(isa) {
      advice.append(.narrowVectors(isa))
    }
    if let governor = machine.governor, governor != "performance" {
      advice.append(.powersaveGovernor(governor))
    }
    if let load = machine.loadAverage?.first, load > 0.5 * machine.usableCPUs {
      advice.append(.loaded(loadAverage: load, cpus: machine.usableCPUs))
    }
    if let limit = machine.cpuLimit, limit < Double(machine.affinity.count) {
      advice.append(.cpuLimit(limit, cpus: machine.affinity.count))
    }
    if let bytes = [machine.memoryLimitBytes, machine.memoryBytes].compactMap({ $0 }).min(),
      bytes < 4 << 30
    {
      advice.append(.littleMemory(bytes: bytes))
    }
    if hugePages == "never" { advice.append(.noHugePages) }
    if let noise, noise.coefficientOfVariation > MeasurementWarning.noisyVariation {
      advice.append(.noisy(noise.coefficientOfVariation))
    }
    if let stolen = noise?.stolen, stolen > 0.02 { advice.append(.stolen(stolen)) }
    return advice
      + variables.compactMap { name, effect in
        environment[name].map { .variable(name: name, value: oneLine($0), effect: effect) }
      }
  }

  /// The mode in a text such as "always [madvise] never".
  public static func hugePages(in files: SystemFiles = .live) -> String? {
    files.text("/sys/kernel/mm/transparent_hugepage/enabled")?
      .split(separator: " ").first { $0.hasPrefix("[") && $0.hasSuffix("]") }
      .map { String($0.dropFirst().dropLast()) }
  }

  private static let variables = [
    ("ONEDNN_MAX_CPU_ISA", "limits the instructions of oneDNN"),
    ("DNNL_MAX_CPU_ISA", "limits the instructions of oneDNN"),
    ("OMP_THREAD_LIMIT", "limits the threads"),
    ("OMP_DYNAMIC", "may change the number of threads"),
    ("OMP_PROC_BIND", "binds threads to cores"),
    ("GOMP_CPU_AFFINITY", "binds threads to cores"),
    ("LD_PRELOAD", "puts other libraries in front"),
  ]
}

extension MachineAdvice: CustomStringConvertible {
  /// The fact, and what to do about it.
  public var description: String {
    switch self {
    case .powersaveGovernor(let governor):
      "frequency governor \(oneLine(governor)): sudo cpupower frequency-set -g performance"
    case .loaded(let load, let cpus):
      "load average \(HumanNumber.decimal(load, 1)) on \(Self.count(cpus)) usable CPUs: close other "
        + "programs; top shows which"
    case .cpuLimit(let limit, let cpus):
      "the control group allows \(Self.count(limit)) of \(cpus) CPUs: give the container more "
        + "(docker run --cpus \(cpus)), or fewer to choose from (--cpuset-cpus)"
    case .littleMemory(let bytes):
      "\(HumanNumber.bytes(bytes)) of memory: large batches and trainings will not fit; "
        + "apus plan says which do"
    case .noHugePages:
      "transparent huge pages are off: "
        + "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
    case .noisy(let variation):
      "equal work varies by \(HumanNumber.percent(variation)): close other programs, and measure "
        + "with --repeat 5 and --min-time 10s"
    case .stolen(let part):
      "the host of this virtual machine took \(HumanNumber.percent(part)) of its CPUs' time: "
        + "measure at another time or on CPUs of your own"
    case .narrowVectors(let isa):
      "the processor offers \(isa.map(oneLine) ?? "no vectors"), not AVX2: in a virtual machine, "
        + "let it have the host's CPU model"
    case .variable(let name, let value, let effect):
      "\(name)=\(value) \(effect): unset \(name), unless it is meant"
    }
  }

  private static func count(_ cpus: Double) -> String {
    HumanNumber.decimal(cpus, cpus == cpus.rounded() ? 0 : 1)
  }
}
