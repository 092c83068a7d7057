import ApusBench
import ArgumentParser
import Foundation

/// How the cells of a sweep are run, and where they are kept.
struct SweepFlags: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Keep the results in this folder, cell by cell.",
      discussion:
        "plan.json: the cells; env.json: the machine; results.jsonl: a row for each cell and repetition; samples: the time of each iteration.",
      valueName: "run"),
    completion: .directory)
  var output: String?

  @Flag(help: "Go on with the run in --output: what it has is not measured again.")
  var resume = false

  @Option(
    name: .customLong("repeat"), parsing: .unconditional,
    help: "Measure all cells so many times, one round after the other (default: 1).",
    transform: PositiveInt.init(parsing:))
  var repetitions = PositiveInt(1)

  @Option(
    parsing: .unconditional, help: "End a cell that takes longer: 30s, 5m (default: none).",
    transform: DurationOption.init(parsing:))
  var timeout: DurationOption?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What a cell may take: 8GiB, 512MiB (default of -b max: what is free).",
      discussion:
        "A cell that is planned to take more is not run; its process is ended where it passes the limit by a quarter and 256 MiB, for code and libraries."
    ),
    transform: ByteSize.init(parsing:))
  var memoryLimit: ByteSize?

  @Flag(help: "Say what would be measured and about how long it takes; measure nothing.")
  var dryRun = false

  /// What the process of a single cell is started with.
  @Option(help: .hidden, transform: CellOption.init(parsing:))
  var cell: CellOption?

  func validate() throws {
    if resume && output == nil {
      throw ValidationError("--resume: must come with --output, the run to go on with")
    }
    if let timeout, timeout.duration <= .zero {
      throw ValidationError("--timeout: must be more than 0 s, got 0 s")
    }
  }

  var limits: ChildProcess.Limits {
    ChildProcess.Limits(
      time: timeout?.duration,
      residentBytes: memoryLimit.map { $0.bytes + $0.bytes / 4 + (256 << 20) })
  }
}

/// A cell as its process is told of it.
struct CellOption: OptionValue {
  let cell: SweepCell

  init(parsing argument: String) throws(ValidationError) {
    do {
      cell = try JSONDecoder().decode(SweepCell.self, from: Data(argument.utf8))
    } catch {
      throw ValidationError("must be a cell of a sweep, got \"\(argument.printable)\"")
    }
  }
}
