import ApusBench
import Testing

@Suite("Advice about a machine")
struct MachineAdviceTests {
  private func machine(_ change: (inout MachineState) -> Void = { _ in }) -> MachineState {
    var state = MachineState(files: SystemFiles([:]), host: "h", architecture: "x86_64")
    (state.isa, state.affinity, state.governor) = ("avx2", [0, 1, 2, 3], "performance")
    (state.memoryBytes, state.loadAverage) = (32 << 30, [0.2, 0.1, 0])
    change(&state)
    return state
  }

  private func advice(
    _ state: MachineState, hugePages: String? = "madvise", noise: NoiseCheck? = nil,
    _ environment: [String: String] = ["HOME": "/root"]
  ) -> [MachineAdvice] {
    MachineAdvice.about(state, hugePages: hugePages, noise: noise, environment: environment)
  }

  @Test("is silent where all is well")
  func well() {
    let steady = NoiseCheck(milliseconds: [10, 10.1, 10, 10.2], threads: 2, stolen: 0)
    #expect(advice(machine(), noise: steady).isEmpty)
    #expect(advice(machine { ($0.isa, $0.governor) = ("amx", nil) }, hugePages: nil).isEmpty)
  }

  @Test("names each thing with the command that fixes it")
  func each() {
    let cases: [(MachineAdvice, MachineState, String)] = [
      (.powersaveGovernor("powersave"), machine { $0.governor = "powersave" }, "cpupower"),
      (.loaded(loadAverage: 3, cpus: 4), machine { $0.loadAverage = [3, 1, 1] }, "top"),
      (.cpuLimit(1.5, cpus: 4), machine { $0.cpuLimit = 1.5 }, "--cpus 4"),
      (.littleMemory(bytes: 1 << 30), machine { $0.memoryLimitBytes = 1 << 30 }, "apus plan"),
      (.narrowVectors("sse4_2"), machine { $0.isa = "sse4_2" }, "AVX2"),
    ]
    for (expected, state, words) in cases {
      #expect(advice(state) == [expected])
      #expect(expected.description.contains(words))
    }
    #expect(advice(machine(), hugePages: "never") == [.noHugePages])
    let variables = advice(machine(), ["OMP_PROC_BIND": "true", "HOME": "/root"])
    #expect(
      variables.map(\.description)
        == ["OMP_PROC_BIND=true binds threads to cores: unset OMP_PROC_BIND, unless it is meant"])
  }

  @Test("tells noise of the own machine and of its host apart")
  func noise() throws {
    let busy = try #require(NoiseCheck(milliseconds: [10, 12, 10, 15], threads: 1, stolen: 0.1))
    #expect(!busy.isSteady)
    let found = advice(machine(), noise: busy)
    #expect(found == [.noisy(busy.coefficientOfVariation), .stolen(0.1)])
  }

  @Test("reads the mode of huge pages")
  func hugePages() {
    let path = "/sys/kernel/mm/transparent_hugepage/enabled"
    #expect(
      MachineAdvice.hugePages(in: SystemFiles([path: "always [madvise] never\n"])) == "madvise")
    #expect(MachineAdvice.hugePages(in: SystemFiles([path: "nonsense"])) == nil)
    #expect(MachineAdvice.hugePages(in: SystemFiles([:])) == nil)
  }
}

@Suite("A check of a machine's noise")
struct NoiseCheckTests {
  @Test("times equal work, after two runs that do not count")
  func fakeClock() throws {
    let clock = FakeClock()
    var runs = 0
    let found = try #require(
      NoiseCheck.measure(repetitions: 10, threads: 2, clock: clock, files: SystemFiles([:])) {
        runs += 1
        clock.advance(runs <= 2 ? 1000 : runs == 12 ? 15 : 10)
      })
    #expect(runs == 12 && found.repetitions == 10 && found.stolen == nil)
    #expect(isClose(found.medianMs, 10, 1e-9) && isClose(found.slowest, 1.5, 1e-9))
    // Nine times 10 and one 15: mean 10.5, deviation √(22.5 / 9).
    #expect(isClose(found.coefficientOfVariation, 2.5.squareRoot() / 10.5, 1e-9))
    #expect(!found.isSteady)
    #expect(
      found.words == "15 % over 10 runs of 10.00 ms on 2 threads, the slowest 1.50 times the median"
    )
  }

  @Test("of one time, or of none, does not exist")
  func tooFew() {
    #expect(NoiseCheck(milliseconds: [], threads: 1) == nil)
    #expect(NoiseCheck(milliseconds: [3], threads: 1) == nil)
    #expect(NoiseCheck(milliseconds: [0, 0], threads: 1) == nil)
  }

  @Test("knows what a virtual machine's host took")
  func stolen() throws {
    let found = try #require(NoiseCheck(milliseconds: [10, 10.1], threads: 1, stolen: 0.03))
    #expect(!found.isSteady && found.words.hasSuffix(", 3 % stolen by the host"))
    // What stands still in between says nothing.
    let files = SystemFiles(["/proc/stat": "cpu  10 0 10 70 0 0 0 10\n"])
    let clock = FakeClock()
    let measured = NoiseCheck.measure(repetitions: 3, threads: 1, clock: clock, files: files) {
      clock.advance(5)
    }
    #expect(try #require(measured).stolen == nil)
  }

  @Test("of real work takes time on the threads that are asked for")
  func real() throws {
    let found = try #require(NoiseCheck.measure(threads: 1))
    #expect(found.repetitions == 100 && found.medianMs > 0.1 && found.medianMs < 1000)
  }
}
