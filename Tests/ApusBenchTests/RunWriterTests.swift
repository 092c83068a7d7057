import ApusBench
import Foundation
import Testing

@Suite("The folder of a run")
struct RunWriterTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/run-\(UUID().uuidString)"
  private let plan = sweepPlan([sweepCell(1), sweepCell(2)], repetitions: 2)

  private var results: String { folder + "/results.jsonl" }

  private func open(_ plan: SweepPlan, resumes: Bool = false) throws -> RunWriter {
    let machine = MachineState(files: SystemFiles([:]), host: "here", architecture: "none")
    let environment = RunEnvironment(
      version: "1.2.3", command: ["bench"], date: "today", machine: machine,
      variables: ["OMP_PROC_BIND": "true", "SECRET": "x"])
    return try RunWriter(folder, plan, environment: environment, resumes: resumes)
  }

  private func row(_ job: SweepPlan.Job) -> BenchRow {
    var row = BenchRow(job.cell, status: .ok)
    row.repeat = job.repetition
    return row
  }

  private func remove() { try? FileManager.default.removeItem(atPath: folder) }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test("has the plan, the machine, a line for each row and the samples")
  func files() throws {
    defer { remove() }
    let writer = try open(plan)
    let written = try writer.add(row(plan.jobs[1]), plan.jobs[1], samples: [1.5, 0.25])
    #expect(written.samples == "samples/2-1.json")
    #expect(try text(folder + "/samples/2-1.json") == "[1.5,0.25]\n")
    var failed = row(plan.jobs[2])
    failed.status = .oom
    try writer.add(failed, plan.jobs[2])
    let lines = try text(results).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3 && lines[2].isEmpty)
    let rows = try lines.prefix(2).map {
      try JSONDecoder().decode(BenchRow.self, from: Data($0.utf8))
    }
    #expect(rows == [written, failed])
    #expect(try RunWriter.plan(in: folder) == plan)
    let environment = try JSONDecoder().decode(
      RunEnvironment.self, from: Data(text(folder + "/env.json").utf8))
    #expect(environment.variables == ["OMP_PROC_BIND": "true"])
    #expect(environment.machine.host == "here")
  }

  @Test("is gone on with where it was left")
  func resume() throws {
    defer { remove() }
    do {
      let writer = try open(plan)
      #expect(writer.earlier.isEmpty)
      try writer.add(row(plan.jobs[0]), plan.jobs[0])
    }
    let before = try text(results)
    let writer = try open(plan, resumes: true)
    #expect(writer.earlier == [row(plan.jobs[0])] && !writer.hasDroppedLine)
    try writer.add(row(plan.jobs[1]), plan.jobs[1])
    #expect(try text(results).hasPrefix(before))
  }

  @Test(
    "loses an incomplete last line, and nothing else",
    arguments: [
      "{\"schema\":1,\"sta", "{", "\u{0}\u{0}\u{0}", "{\"schema\":1}\n", "\u{0}\u{0}\n",
    ])
  func incompleteLine(rest: String) throws {
    defer { remove() }
    do {
      let writer = try open(plan)
      for job in plan.jobs.prefix(2) { try writer.add(row(job), job) }
    }
    let before = try text(results)
    try (before + rest).write(toFile: results, atomically: false, encoding: .utf8)
    do {
      let writer = try open(plan, resumes: true)
      #expect(writer.hasDroppedLine)
      #expect(writer.earlier == plan.jobs.prefix(2).map(row))
      #expect(try text(results) == before)
      try writer.add(row(plan.jobs[2]), plan.jobs[2])
    }
    #expect(try open(plan, resumes: true).earlier == plan.jobs.prefix(3).map(row))
  }

  @Test("with the last row cut anywhere has the rows before it")
  func cut() throws {
    defer { remove() }
    do {
      let writer = try open(plan)
      for job in plan.jobs.prefix(2) { try writer.add(row(job), job) }
    }
    let whole = try text(results)
    let first = try #require(whole.firstIndex(of: "\n"))
    let length = Int.random(in: 1..<whole.distance(from: first, to: whole.endIndex) - 1)
    try (whole[...first] + whole[whole.index(after: first)...].prefix(length))
      .write(toFile: results, atomically: false, encoding: .utf8)
    #expect(try open(plan, resumes: true).earlier == [row(plan.jobs[0])], "\(length)")
  }

  private func reason(_ plan: SweepPlan, resumes: Bool) -> RunError.Reason? {
    do {
      _ = try open(plan, resumes: resumes)
      return nil
    } catch {
      return (error as? RunError)?.reason
    }
  }

  @Test("is refused where it is another run's, somebody else's or damaged")
  func refusals() throws {
    defer { remove() }
    var writer: RunWriter? = try open(plan)
    #expect(reason(plan, resumes: true) == .busy)
    #expect(writer?.path == folder)
    writer = nil
    #expect(reason(plan, resumes: false) == .exists)
    let other = sweepPlan(plan.cells, repetitions: 3)
    #expect(reason(other, resumes: true) == .otherMatrix("--repeat 2, not 3"))
    try "x\n{}\n".write(toFile: results, atomically: false, encoding: .utf8)
    #expect(reason(plan, resumes: true) == .damaged("a row of a benchmark in line 1"))
    try FileManager.default.removeItem(atPath: folder + "/plan.json")
    try "mine".write(toFile: folder + "/diary", atomically: false, encoding: .utf8)
    #expect(reason(plan, resumes: false) == .notEmpty)
    #expect(try text(folder + "/diary") == "mine")
  }

  @Test("may be there, if it is empty")
  func empty() throws {
    defer { remove() }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    #expect(try open(plan).earlier.isEmpty)
  }
}
