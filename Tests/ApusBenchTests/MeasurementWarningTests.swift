import ApusBench
import Testing

private func samples(
  _ rules: MeasuringRules = .standard, _ milliseconds: (Int) -> Double
) -> Samples {
  let clock = FakeClock()
  var run = 0
  return measure(rules, clock: clock) {
    clock.advance(milliseconds(run))
    run += 1
  }
}

private func machine(
  load: Double = 0.1, governor: String? = nil, frequency: String = "2000", limit: String? = nil
) -> MachineState {
  var files = [
    "/proc/self/status": "Cpus_allowed_list: 0-3", "/proc/loadavg": "\(load) 0 0 1/2 3",
    "/proc/cpuinfo": "cpu MHz : \(frequency)", "/proc/self/cgroup": "0::/",
    "/proc/self/mountinfo": "1 1 0:1 / /cg rw - cgroup2 cgroup2 rw",
  ]
  files["/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"] = governor
  files["/cg/cpu.max"] = limit
  return MachineState(files: SystemFiles(files), host: "h", architecture: "a")
}

@Suite("Warnings")
struct MeasurementWarningTests {
  @Test("are none for a quiet measurement on a quiet machine")
  func quiet() {
    let quiet = samples { _ in 50 }
    #expect(MeasurementWarning.about(quiet, timerStep: 30) == [])
    #expect(MeasurementWarning.about(machine(), after: machine(), threads: 4) == [])
  }

  @Test("say that the machine is busy")
  func noisy() throws {
    let noisy = samples { $0 % 8 == 7 ? 66 : 50 }
    let warnings = MeasurementWarning.about(noisy)
    #expect(warnings.count == 1)
    // 8 of 58 samples are 66 ms: sd 5.565 ms, mean 52.207 ms.
    #expect(noisy.nanoseconds.count == 58)
    #expect(
      warnings.first?.description
        == "coefficient of variation 11 %: the machine is busy; close other programs or raise "
        + "--min-time")
  }

  @Test("say that the longest time was too short")
  func tooShort() throws {
    #expect(
      MeasurementWarning.about(samples { _ in 25_000 }).map(\.description) == [
        "3 iterations of at least 10: raise --max-time"
      ])
    let wild = MeasurementWarning.about(samples { $0 % 2 == 0 ? 10 : 200 }).map(\.description)
    #expect(wild.count == 3)
    #expect(
      wild[0] == "the median is known to ±90 % only, not ±2 %: close other programs or raise "
        + "--max-time")
    #expect(wild[2].hasPrefix("the last medians of the warm-up still differed by 95 %"))
  }

  @Test("say that someone interrupted")
  func interrupted() {
    let clock = FakeClock()
    var runs = 0
    func isInterrupted() -> Bool { runs == 7 }
    let cut = measure(clock: clock, shouldStop: isInterrupted) {
      clock.advance(100)
      runs += 1
    }
    #expect(
      MeasurementWarning.about(cut).map(\.description) == [
        "interrupted after 1 iteration: do not compare it with complete measurements"
      ])
  }

  @Test("do not blame the warm-up of a fixed protocol")
  func fixedProtocol() throws {
    let rules = try MeasuringRules.fixed(warmUps: 6, iterations: 10)
    let falling = samples(rules) { $0 < 6 ? 100 - 10 * Double($0) : 50 }
    #expect(try #require(falling.warmUpDrift) > 0.02)
    #expect(MeasurementWarning.about(falling, rules: rules) == [])
  }

  @Test("say that the timer is too coarse")
  func coarseTimer() throws {
    let rules = try MeasuringRules.fixed(warmUps: 1, iterations: 10)
    let quick = samples(rules) { _ in 0.05 }
    #expect(MeasurementWarning.about(quick, rules: rules, timerStep: 400) == [])
    #expect(
      MeasurementWarning.about(quick, rules: rules, timerStep: 1000).map(\.description) == [
        "the timer's step of 1,000 ns is more than 1 % of the median of 0.05000 ms: raise the "
          + "batch size"
      ])
  }

  @Test("say what is wrong with the machine")
  func machineWarnings() {
    let cases: [(MachineState, MachineState?, Int, String)] = [
      (
        machine(load: 5.25), nil, 4,
        "load average 5.2 before the start with 4 usable cores: close other programs"
      ),
      (
        machine(governor: "powersave"), nil, 4,
        "frequency governor powersave: switch to performance (cpupower frequency-set -g "
          + "performance)"
      ),
      (
        machine(), machine(frequency: "1500"), 4,
        "the clock frequency fell from 2,000 to 1,500 MHz: the processor is hot or limits its "
          + "power; let it cool down and measure again"
      ),
      (machine(), nil, 8, "8 threads share 4 usable CPUs: lower --threads"),
      (
        machine(limit: "150000 100000"), nil, 2,
        "2 threads share 1.5 usable CPUs: lower --threads"
      ),
    ]
    for (before, after, threads, text) in cases {
      let warnings = MeasurementWarning.about(before, after: after, threads: threads)
      #expect(warnings.map(\.description) == [text])
    }
    #expect(MeasurementWarning.about(machine(limit: "50000 100000"), threads: 1) == [])
  }
}
