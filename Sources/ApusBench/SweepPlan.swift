/// What a sweep is to measure, as `plan.json` of a run's folder keeps it.
public struct SweepPlan: Codable, Hashable, Sendable {
  /// A cell that is measured once.
  public struct Job: Hashable, Sendable {
    public let cell: SweepCell
    /// Place of the cell in the plan, from 0.
    public let index: Int
    /// From 1.
    public let repetition: Int
  }

  /// Version of the format.
  public var schema = 1
  /// The words of the command line that made it, after the program's name.
  public var command: [String]
  /// What else decides about the numbers, by the names of options.
  public var settings: [String: String]
  /// How often each cell is measured.
  public var repetitions: Int
  public var cells: [SweepCell]

  public init(
    command: [String], settings: [String: String], repetitions: Int, cells: [SweepCell]
  ) {
    self.command = command
    self.settings = settings
    self.repetitions = repetitions
    self.cells = cells
  }

  /// Everything to be measured, in order: all cells once, then all of them again, so that what
  /// changes on the machine meanwhile meets each of them alike.
  public var jobs: [Job] {
    (1...max(1, repetitions)).flatMap { repetition in
      cells.enumerated().map { Job(cell: $1, index: $0, repetition: repetition) }
    }
  }

  /// What is still to be measured where there are some rows already.
  public func jobs(after rows: [BenchRow]) -> [Job] {
    let done = Dictionary(grouping: rows, by: SweepCell.init(of:))
    return jobs.filter { job in
      done[job.cell]?.contains { ($0.repeat ?? 1) == job.repetition } != true
    }
  }

  /// What is different in another plan, in words; nil where it measures the same.
  ///
  /// The command may be another one: the order of its words does not matter.
  public func difference(from other: SweepPlan) -> String? {
    if schema != other.schema { return "format \(other.schema), not \(schema)" }
    for name in Set(settings.keys).union(other.settings.keys).sorted() {
      let (ours, theirs) = (settings[name] ?? "none", other.settings[name] ?? "none")
      if ours != theirs { return "--\(name) \(theirs), not \(ours)" }
    }
    if repetitions != other.repetitions {
      return "--repeat \(other.repetitions), not \(repetitions)"
    }
    if let (ours, theirs) = zip(cells, other.cells).first(where: { $0 != $1 }) {
      return "the cell \(theirs), not \(ours)"
    }
    return cells.count == other.cells.count
      ? nil : "\(other.cells.count) cells, not \(cells.count)"
  }
}
