import ApusBench
import Foundation
import Testing

@Suite("A child process")
struct ChildProcessTests {
  private func run(
    _ script: String, _ limits: ChildProcess.Limits = .init(),
    isInterrupted: () -> Bool = { false }
  ) throws -> ChildProcess.Outcome {
    try ChildProcess("/bin/sh", ["-c", script], environment: ["WORD": "ürgh"])
      .run(limits, isInterrupted: isInterrupted, report: { _ in })
  }

  @Test("hands over its result apart from what it prints")
  func result() throws {
    let outcome = try run("echo out; echo err >&2; echo \"$WORD\" >&3")
    #expect(outcome.end == .exited(code: 0))
    #expect(String(decoding: outcome.result, as: UTF8.self) == "ürgh\n")
    #expect(outcome.messages == "out\nerr\n")
  }

  @Test("may hand over more than a pipe holds")
  func largeResult() throws {
    let outcome = try run("head -c 3000000 /dev/zero >&3")
    #expect(outcome.result == Data(count: 3_000_000))
  }

  @Test("that fails or is killed says how")
  func ends() throws {
    #expect(try run("exit 7").end == .exited(code: 7))
    #expect(try run("kill -KILL $$").end == .signalled(SIGKILL))
    #expect(try run("kill -SEGV $$").end == .signalled(SIGSEGV))
    #expect(throws: SpawnError.self) {
      try ChildProcess("/no/such/program", [], environment: [:]).run(report: { _ in })
    }
  }

  @Test("ends when its time is up")
  func timeOut() throws {
    let outcome = try run("echo half >&3; exec sleep 30", .init(time: .milliseconds(300)))
    #expect(outcome.end == .timedOut && outcome.duration < .seconds(10))
    #expect(outcome.result == Data("half\n".utf8))
  }

  @Test("ends when it has taken too much memory")
  func tooLarge() throws {
    let outcome = try run(
      "x=$(head -c 200000000 /dev/zero | tr '\\0' a); sleep 30",
      .init(time: .seconds(60), residentBytes: 50 << 20))
    guard case .tooLarge(let bytes) = outcome.end else {
      Issue.record("\(outcome.end)")
      return
    }
    #expect(bytes > 50 << 20)
    #expect(
      try run("x=1", .init(time: .seconds(60), residentBytes: 50 << 20)).end == .exited(code: 0))
  }

  @Test("that is interrupted may hand over what it has, but not take for ever")
  func interruption() throws {
    // Long enough for a shell to set its traps.
    func later() -> () -> Bool {
      let start = ContinuousClock.now
      return { ContinuousClock.now - start > .milliseconds(500) }
    }
    let polite = try run(
      "trap 'echo rest >&3; exit 0' TERM; while :; do sleep 0.05; done", isInterrupted: later())
    #expect(polite.end == .interrupted && polite.result == Data("rest\n".utf8))
    let stubborn = try run(
      "trap '' TERM; while :; do sleep 0.05; done", isInterrupted: later())
    #expect(stubborn.end == .interrupted)
    #expect(stubborn.duration > .seconds(1) && stubborn.duration < .seconds(20))
  }
}

@Suite("Processes that the system ended for want of memory")
struct MemoryKillsTests {
  @Test("are counted on the machine and in the group")
  func counts() {
    #expect(MemoryKills.count(in: SystemFiles([:])) == nil)
    #expect(
      MemoryKills.count(
        in: SystemFiles([
          "/proc/vmstat": "pgfault 12\noom_kill 3\n",
          "/sys/fs/cgroup/memory.events": "oom 5\noom_kill 2\noom_group_kill 1\n",
        ])) == 5)
    #expect(MemoryKills.count(in: SystemFiles(["/proc/vmstat": "pgfault 12\n"])) == nil)
  }
}
