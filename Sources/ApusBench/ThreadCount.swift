/// How many threads a computation gets when nobody says a number.
public enum ThreadCount {
  /// One thread per physical core that the process may use, not more than the control group's CPU
  /// limit, and at least one.
  ///
  /// - *Physical cores*, not hyper-threads: the threads of one core share its vector units, which
  ///   one thread of a convolution keeps busy already; a second one only competes for the caches.
  ///   So two virtual CPUs that are siblings of one core get one thread, and two that are not (or
  ///   of which the machine says nothing) get two.
  /// - *Affinity*: only CPUs of the mask count, and a core counts when any of its threads is in
  ///   the mask.
  /// - *Limit*: rounded down, since a thread more than the quota pays for is throttled, and every
  ///   parallel loop waits for its slowest thread.
  ///
  /// - Parameters:
  ///   - affinity: logical CPUs the process may run on.
  ///   - siblings: for each of them the logical CPUs of its core, nil where unknown.
  ///   - cpuLimit: CPUs the control group may use, as a fraction; nil without a limit.
  public static func standard(
    affinity: [Int], siblings: (Int) -> [Int]?, cpuLimit: Double?
  ) -> Int {
    let cores = physicalCores(affinity: affinity, siblings: siblings)
    guard let cpuLimit, cpuLimit < Double(cores) else { return max(1, cores) }
    return max(1, Int(max(0, cpuLimit).rounded(.down)))
  }

  /// The number of cores with a logical CPU in `affinity`.
  public static func physicalCores(affinity: [Int], siblings: (Int) -> [Int]?) -> Int {
    Set(Set(affinity).map { cpu in Set(siblings(cpu) ?? []).union([cpu]) }).count
  }

  /// The logical CPUs of the core that `cpu` belongs to, from the machine's topology files.
  public static func siblings(of cpu: Int, in files: SystemFiles) -> [Int]? {
    let folder = "/sys/devices/system/cpu/cpu\(cpu)/topology/"
    let list = files.text(folder + "core_cpus_list") ?? files.text(folder + "thread_siblings_list")
    return list.flatMap { CPUSet.parse(list: $0) }
  }
}
