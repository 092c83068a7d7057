import ApusBench
import Testing

private let mounts = """
  22 1 259:2 / / rw,relatime - ext4 /dev/root rw
  30 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
  """

private let mountsVersion1 = """
  41 40 0:35 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct
  42 40 0:36 /docker/abc /sys/fs/cgroup/with\\040space rw - cgroup cgroup rw,memory
  43 40 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
  """

@Suite("Control group limits")
struct CgroupLimitsTests {
  @Test("of version 2 are the tightest of the group and those around it")
  func versionTwo() {
    let files = SystemFiles([
      "/proc/self/cgroup": "0::/user.slice/job.scope\n",
      "/proc/self/mountinfo": mounts,
      "/sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/user.slice/job.scope/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/user.slice/job.scope/memory.max": "8589934592\n",
      "/sys/fs/cgroup/user.slice/memory.max": "max\n",
      "/sys/fs/cgroup/other/cpu.max": "1000 100000\n",
    ])
    #expect(
      CgroupLimits.current(in: files) == CgroupLimits(cpus: 1.5, memoryBytes: 8_589_934_592))
  }

  @Test("of version 1 come from each controller's own hierarchy, below the mounted root")
  func versionOne() {
    let files = SystemFiles([
      "/proc/self/cgroup": """
      5:memory:/docker/abc/inner
      4:cpu,cpuacct:/docker/abc
      1:name=systemd:/docker/abc
      0::/
      """,
      "/proc/self/mountinfo": mountsVersion1,
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "250000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/with space/inner/memory.limit_in_bytes": "1073741824\n",
      "/sys/fs/cgroup/with space/memory.limit_in_bytes": "9223372036854771712\n",
    ])
    #expect(
      CgroupLimits.current(in: files) == CgroupLimits(cpus: 2.5, memoryBytes: 1_073_741_824))
  }

  @Test("of a group outside of the mount are those of the mount's root")
  func outside() {
    let files = SystemFiles([
      "/proc/self/cgroup": "0::/../../elsewhere", "/proc/self/mountinfo": mounts,
      "/sys/fs/cgroup/cpu.max": "50000 100000", "/sys/fs/cgroup/memory.max": "oops",
    ])
    #expect(CgroupLimits.current(in: files) == CgroupLimits(cpus: 0.5))
  }

  @Test("are none where nothing says so, or nonsense")
  func none() {
    #expect(CgroupLimits.current(in: SystemFiles([:])) == CgroupLimits())
    let nonsense = SystemFiles([
      "/proc/self/cgroup": ":\n0:\n0::\nx:cpu:/y\n",
      "/proc/self/mountinfo": "- - -\n\n1 2 - cgroup2",
    ])
    #expect(CgroupLimits.current(in: nonsense) == CgroupLimits())
  }

  @Test(
    "are read from texts",
    arguments: [
      ("max 100000", nil), ("150000 100000", 1.5), ("100000 0", nil), ("-1 100000", nil),
      ("", nil), ("1", nil), ("a b", nil), ("99999999999999999999 1", nil),
    ] as [(String, Double?)])
  func cpuMax(_ text: String, _ cpus: Double?) {
    #expect(CgroupLimits.cpus(cpuMax: text) == cpus)
  }

  @Test(
    "of memory are read from texts",
    arguments: [
      ("max", nil), ("4096", 4096), ("9223372036854771712", nil), ("0", nil), ("-1", nil),
    ] as [(String, Int?)])
  func memoryMax(_ text: String, _ bytes: Int?) {
    #expect(CgroupLimits.memoryBytes(text) == bytes)
  }
}

@Suite("The default number of threads")
struct ThreadCountTests {
  /// Four cores with two threads each, numbered as Linux does: 0–3 first threads, 4–7 second ones.
  private static func smt(_ cpu: Int) -> [Int]? { [cpu % 4, cpu % 4 + 4] }

  @Test("is one per physical core of the mask, within the limit")
  func table() {
    let smt = ThreadCountTests.smt
    let alone: (Int) -> [Int]? = { [$0] }
    let unknown: (Int) -> [Int]? = { _ in nil }
    let cases: [([Int], (Int) -> [Int]?, Double?, Int)] = [
      (Array(0..<8), smt, nil, 4), ([0, 4], smt, nil, 1), ([0, 1], smt, nil, 2),
      ([1, 4, 5], smt, nil, 2), (Array(0..<8), smt, 6, 4), (Array(0..<8), smt, 2.9, 2),
      (Array(0..<8), smt, 0.5, 1), ([0, 1], alone, nil, 2), ([0, 1], alone, 1.5, 1),
      ([0, 1], unknown, nil, 2), ([3, 3, 3], unknown, nil, 1), ([], unknown, nil, 1),
      ([], unknown, 0, 1), ([0, 1], alone, -3, 1), ([0, 1], alone, .nan, 2),
      ([0, 1], alone, .infinity, 2),
    ]
    for (affinity, siblings, limit, expected) in cases {
      let count = ThreadCount.standard(affinity: affinity, siblings: siblings, cpuLimit: limit)
      #expect(count == expected, "\(affinity), limit \(String(describing: limit))")
    }
  }

  @Test("knows siblings from either topology file")
  func siblingFiles() {
    let folder = "/sys/devices/system/cpu/cpu"
    let files = SystemFiles([
      folder + "0/topology/core_cpus_list": "0,64\n",
      folder + "1/topology/thread_siblings_list": "1-2\n",
      folder + "2/topology/core_cpus_list": "rubbish\n",
    ])
    #expect(ThreadCount.siblings(of: 0, in: files) == [0, 64])
    #expect(ThreadCount.siblings(of: 1, in: files) == [1, 2])
    #expect(ThreadCount.siblings(of: 2, in: files) == nil)
    #expect(ThreadCount.siblings(of: 3, in: files) == nil)
  }

  @Test(
    "reads lists of CPUs",
    arguments: [
      ("0", [0]), ("0-3,8,10-11", [0, 1, 2, 3, 8, 10, 11]), ("5,1", [1, 5]), ("", nil),
      ("3-1", nil), ("1,,2", nil), ("-1", nil), ("0-9999999999", nil), ("1-2-3", nil), ("a", nil),
      ("0-", nil),
    ] as [(String, [Int]?)])
  func cpuLists(_ text: String, _ numbers: [Int]?) {
    #expect(CPUSet.parse(list: text) == numbers)
  }

  @Test("counts only CPUs that are allowed and online")
  func affinity() {
    let status = "Name:\tapus\nCpus_allowed:\tff\nCpus_allowed_list:\t0-127\n"
    let online = "/sys/devices/system/cpu/online"
    #expect(
      CPUSet.affinity(in: SystemFiles(["/proc/self/status": status, online: "0-1"])) == [0, 1])
    #expect(CPUSet.affinity(in: SystemFiles(["/proc/self/status": status]))?.count == 128)
    #expect(CPUSet.affinity(in: SystemFiles([online: "0-1"])) == nil)
    #expect(CPUSet.allowed(inStatus: "Cpus_allowed_list:\n") == nil)
  }
}

private let cpuinfo = """
  processor\t: 0
  model name\t: Intel(R) Xeon(R)   CPU @ 2.60GHz
  cpu MHz\t\t: 2600.000
  flags\t\t: fpu sse2 sse4_2 avx fma avx2 avx512f avx512dq avx512bw avx512vl avx512_vnni

  processor\t: 1
  model name\t: other
  cpu MHz\t\t: 2400.000
  flags\t\t: fpu
  """

@Suite("The state of the machine")
struct MachineStateTests {
  @Test("is read from the files of the kernel")
  func fromFiles() throws {
    let cpu = "/sys/devices/system/cpu/"
    let state = MachineState(
      files: SystemFiles([
        "/proc/cpuinfo": cpuinfo, "/proc/loadavg": "0.52 1.25 0.07 3/95 4540\n",
        "/proc/meminfo": "MemTotal:       16384 kB\nMemFree: 1 kB\n",
        "/proc/self/status": "Cpus_allowed_list:\t2-3\n", cpu + "online": "0-3\n",
        cpu + "cpu2/topology/core_cpus_list": "2-3", cpu + "cpu3/topology/core_cpus_list": "2-3",
        cpu + "cpu2/cpufreq/scaling_governor": "powersave\n",
        cpu + "cpu2/cpufreq/scaling_cur_freq": "3000000\n",
        cpu + "cpu3/cpufreq/scaling_cur_freq": "2000000\n",
      ]), host: "box", architecture: "x86_64")
    #expect(state.host == "box" && state.cpu == "Intel(R) Xeon(R) CPU @ 2.60GHz")
    #expect(state.isa == "avx512_vnni" && state.logicalCores == 4 && state.affinity == [2, 3])
    #expect(state.physicalCores == 1 && state.defaultThreadCount == 1)
    #expect(state.cpuLimit == nil && state.memoryLimitBytes == nil)
    #expect(state.memoryBytes == 16_777_216 && state.governor == "powersave")
    #expect(state.loadAverage == [0.52, 1.25, 0.07] && state.frequencyMHz == 2500)
    #expect(
      try JSONValue(encoding: state).text().hasPrefix(
        #"{"host":"box","cpu":"Intel(R) Xeon(R) CPU @ 2.60GHz","isa":"avx512_vnni","#
          + #""logical_cores":4,"affinity":[2,3],"physical_cores":1,"memory_bytes":16777216,"#))
  }

  @Test("of a machine that tells nothing is still usable")
  func nothingKnown() {
    let state = MachineState(files: SystemFiles([:]), host: "h", architecture: "riscv64")
    #expect(state.cpu == "riscv64" && state.isa == nil && state.defaultThreadCount == 1)
    #expect(state.frequencyMHz == nil && state.loadAverage == nil && state.usableCPUs == 1)
    #expect(MachineState.loadAverage(parsing: "1.0 x 2.0") == nil)
    #expect(MachineState.loadAverage(parsing: "1.0 2.0") == nil)
  }

  @Test("of this machine makes sense")
  func live() {
    let state = MachineState.current()
    #expect(!state.host.isEmpty && !state.cpu.isEmpty)
    #expect((1...state.affinity.count).contains(state.physicalCores))
    #expect((1...state.physicalCores).contains(state.defaultThreadCount))
    #expect(state.affinity.count <= state.logicalCores)
    #expect((state.memoryBytes ?? 0) > 1 << 26)
  }

  @Test(
    "names the widest instruction set with everything it builds on",
    arguments: [
      ("sse2 avx2 fma avx", "avx2"), ("avx2 avx", "avx"), ("avx512f avx2 fma", "avx2"),
      ("avx512f avx512bw avx512dq avx512vl", "avx512"),
      ("avx512f avx512bw avx512dq avx512vl avx512_vnni avx512_bf16", "avx512_bf16"),
      ("avx2 fma avx_vnni", "avx_vnni"), ("fp asimd sve", "sve"), ("", nil), ("mmx", nil),
    ] as [(String, String?)])
  func isa(_ flags: String, _ name: String?) {
    #expect(CPUInfo.isa(flags: flags) == name)
  }

  @Test("knows Arm processors by their numbers")
  func arm() {
    let info = CPUInfo(
      parsing: "processor : 0\nFeatures : fp asimd\nCPU implementer : 0x41\nCPU part : 0xd0c\n")
    #expect(info.model == "implementer 0x41 part 0xd0c" && info.isa == "asimd")
    #expect(info.frequenciesMHz.isEmpty)
  }
}

@Suite("The memory of a process", .serialized)
struct ProcessMemoryTests {
  @Test(
    "is read from a status text",
    arguments: [
      ("VmPeak:\t 9 kB\nVmHWM:\t   2048 kB\n", 2_097_152), ("VmHWM: 12 MB", nil),
      ("VmHWM: x kB", nil), ("VmHWMX: 1 kB", nil), ("VmHWM: 9223372036854775807 kB", nil),
      ("VmHWM: -4 kB", nil), ("", nil),
    ] as [(String, Int?)])
  func statusText(_ text: String, _ bytes: Int?) {
    #expect(ProcessMemory.bytes(of: "VmHWM", inStatus: text) == bytes)
  }

  @Test("tells a reset that was ignored")
  func ignoredReset() {
    #expect(ProcessMemory.peakWasReset(inStatus: "VmHWM: 110000 kB\nVmRSS: 100000 kB"))
    #expect(!ProcessMemory.peakWasReset(inStatus: "VmHWM: 300000 kB\nVmRSS: 100000 kB"))
    #expect(!ProcessMemory.peakWasReset(inStatus: "VmRSS: 100000 kB"))
  }

  @Test("has a peak of its own in every phase")
  func phases() throws {
    let size = 64 << 20
    func touch(_ bytes: Int) -> UInt8 {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 4096)
      defer { buffer.deallocate() }
      buffer.initializeMemory(as: UInt8.self, repeating: .random(in: 1...9))
      return buffer[bytes / 2]
    }
    #expect(try #require(ProcessMemory.residentBytes()) > 0)
    // Other tests of the process allocate at the same time, hence several attempts.
    var differences: [Int] = []
    for _ in 0..<50 {
      let large = ProcessMemory.peakBytes { touch(size) }
      let small = ProcessMemory.peakBytes { touch(4096) }
      #expect(large.result > 0)
      guard let largePeak = large.peakBytes, let smallPeak = small.peakBytes else { continue }
      #expect(largePeak >= size)
      differences.append(largePeak - smallPeak)
      if largePeak - smallPeak > size / 2 { return }
    }
    // Where peaks cannot be reset there must be no number at all.
    #expect(differences == [])
  }
}
