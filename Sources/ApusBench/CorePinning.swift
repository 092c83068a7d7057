/// Which logical CPUs the threads of a computation are bound to.
public enum CorePinning {
  /// One logical CPU for each thread: first of each physical core the first one, then their
  /// siblings; nil where there are fewer than threads.
  ///
  /// Threads that the scheduler moves lose their caches, and two on the siblings of one core share
  /// its vector units while another core may be idle.
  ///
  /// - Parameters:
  ///   - affinity: logical CPUs the process may run on.
  ///   - siblings: for each of them the logical CPUs of its core, nil where unknown.
  public static func cores(
    forThreads threads: Int, affinity: [Int], siblings: (Int) -> [Int]?
  ) -> [Int]? {
    let usable = Set(affinity).sorted()
    guard threads >= 1, threads <= usable.count else { return nil }
    var taken: [[Int]: Int] = [:]
    let ranked = usable.map { cpu in
      let core = Set(siblings(cpu) ?? []).union([cpu]).sorted()
      let rank = taken[core, default: 0]
      taken[core] = rank + 1
      return (rank: rank, cpu: cpu)
    }
    return ranked.sorted { $0 < $1 }.prefix(threads).map(\.cpu)
  }

  /// The cores of this machine for so many threads.
  public static func cores(
    forThreads threads: Int, on machine: MachineState, in files: SystemFiles = .live
  ) -> [Int]? {
    cores(forThreads: threads, affinity: machine.affinity) {
      ThreadCount.siblings(of: $0, in: files)
    }
  }

  /// The variables by which an OpenMP runtime binds one thread to each core, the first to the first.
  ///
  /// OpenMP 5.0, sections 6.4 (`OMP_PROC_BIND`) and 6.5 (`OMP_PLACES`).
  public static func variables(_ cores: [Int]) -> [String: String] {
    [
      "OMP_PROC_BIND": "close",
      "OMP_PLACES": cores.map { "{\($0)}" }.joined(separator: ","),
    ]
  }

  /// Whether somebody has said already where threads are to run.
  public static func isDecided(in environment: [String: String]) -> Bool {
    ["OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"].contains { environment[$0] != nil }
  }
}
