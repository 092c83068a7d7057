import Apus
import ApusBench
import Foundation

/// Runs the cells of a sweep one after the other, each in a process of its own, and keeps their rows.
struct SweepRunner {
  private let plan: SweepPlan
  /// Why a cell cannot be measured, by its place in the plan.
  private let flaws: [String?]
  /// Estimates, by the place in the plan.
  private let seconds: [Double]
  private let flags: SweepFlags
  /// Before the sweep loaded it.
  private let machine: MachineState
  private let writer: RunWriter?

  init(
    _ plan: SweepPlan, _ flaws: [String?], _ forecast: SweepForecast, _ flags: SweepFlags,
    _ machine: MachineState
  ) throws {
    self.plan = plan
    self.flaws = flaws
    self.flags = flags
    self.machine = machine
    seconds = forecast.seconds
    guard let folder = flags.output else {
      writer = nil
      return
    }
    let environment = RunEnvironment(
      version: ApusCommand.configuration.version, command: plan.command,
      date: Date().ISO8601Format(), machine: machine,
      variables: ProcessInfo.processInfo.environment)
    writer = try RunWriter(folder, plan, environment: environment, resumes: flags.resume)
  }

  /// Runs what has no row yet, until the end or Ctrl-C.
  func run(_ report: inout BenchReport) throws {
    for row in writer?.earlier ?? [] { try report.add(row) }
    let jobs = waiting()
    var progress = SweepProgress(jobs.map { seconds[$0.index] })
    for job in jobs where !Interruption.requested {
      progress.begin(job, of: plan)
      let start = ContinuousClock.now
      let result = try self.result(job, progress)
      progress.clear()
      if var result {
        complete(&result.row, job)
        try keep(result, job, &report)
      }
      progress.finish(estimated: seconds[job.index], taken: ContinuousClock.now - start)
    }
  }

  /// What has no row yet; what cannot be measured gets one, not one for each repetition.
  private func waiting() -> [SweepPlan.Job] {
    if writer?.hasDroppedLine == true {
      Console.warn("\(writer?.path ?? ""): the last line was incomplete and is dropped")
    }
    return plan.jobs(after: writer?.earlier ?? [])
      .filter { flaws[$0.index] == nil || $0.repetition == 1 }
  }

  /// The result of a cell, with a reason where it cannot be measured; nil where Ctrl-C left nothing.
  private func result(_ job: SweepPlan.Job, _ progress: SweepProgress) throws -> CellResult? {
    guard let flaw = flaws[job.index] else { return try measure(job, progress) }
    return CellResult(row: BenchRow(job.cell, status: .skipped, reason: flaw))
  }

  /// Measures a cell in a process of its own; nil where Ctrl-C left nothing of it.
  private func measure(_ job: SweepPlan.Job, _ progress: SweepProgress) throws -> CellResult? {
    let before = (state: MachineState.current(), kills: MemoryKills.count())
    let cores = cores(for: job.cell)
    let outcome = try child(job.cell, cores).run(
      flags.limits, isInterrupted: { Interruption.requested },
      report: { message in
        if message.isEmpty { return }
        progress.clear()
        Console.note(String(decoding: message, as: UTF8.self))
      })
    if var result = CellChannel.parse(outcome.result) {
      if Interruption.requested && result.row.n ?? 0 == 0 { return nil }
      result.row.cores = cores
      result.row.warnings += warnings(job.cell, before.state).map(\.description)
      return result
    }
    let kills = (before.kills, MemoryKills.count())
    return CellFailure(outcome, flags, kills: kills).map { failure in
      CellResult(row: BenchRow(job.cell, status: failure.status, reason: failure.reason))
    }
  }

  /// The same command line once more, for one cell.
  private func child(_ cell: SweepCell, _ cores: [Int]?) throws -> ChildProcess {
    var environment = ProcessInfo.processInfo.environment
    if let cores { environment.merge(CorePinning.variables(cores)) { _, ours in ours } }
    return ChildProcess(
      "/proc/self/exe", plan.command + ["--cell", try JSONValue(encoding: cell).text()],
      environment: environment)
  }

  private func cores(for cell: SweepCell) -> [Int]? {
    guard let threads = cell.threads,
      !CorePinning.isDecided(in: ProcessInfo.processInfo.environment)
    else { return nil }
    return CorePinning.cores(forThreads: threads, on: machine)
  }

  /// The load is that from before the sweep, which is a load itself.
  private func warnings(_ cell: SweepCell, _ before: MachineState) -> [MeasurementWarning] {
    var before = before
    before.loadAverage = machine.loadAverage
    return MeasurementWarning.about(
      before, after: .current(), threads: cell.threads ?? machine.defaultThreadCount)
  }

  private func complete(_ row: inout BenchRow, _ job: SweepPlan.Job) {
    row.repeat = job.repetition
    (row.host, row.cpu) = (machine.host, machine.cpu)
    row.date = row.date ?? Date().ISO8601Format()
  }

  /// What Ctrl-C cut short is shown, and measured again when the run is resumed.
  private func keep(
    _ result: CellResult, _ job: SweepPlan.Job, _ report: inout BenchReport
  ) throws {
    var row = result.row
    if let writer, !Interruption.requested {
      row = try writer.add(row, job, samples: result.samples)
    }
    try report.add(row)
  }
}
