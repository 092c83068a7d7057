import ApusOneDNN
import ArgumentParser

extension Tuning: ExpressibleByArgument {}

/// How networks are compiled for the CPU.
struct CPUFlags: ParsableArguments {
  @Flag(help: "Compute all convolutions directly: Winograd's tiles round a little more.")
  var exact = false

  @Option(
    help: ArgumentHelp(
      "How much of compiling goes into timing alternatives.",
      discussion:
        "off: fixed rules decide; quick: two seconds at most; full: as long as it takes. What was found is kept in the user's cache."
    ))
  var tuning = Tuning.quick

  @Option(
    parsing: .unconditional,
    help: "Images that compiled runs compute at a time (default: what takes the least time).",
    transform: PositiveInt.init(parsing:))
  var microBatch: PositiveInt?

  private var cache: TuningCache? { tuning == .off ? nil : TuningCache() }

  /// - Parameter threads: that run each kernel.
  func backend(_ execution: ExecutionOption, threads: Int) -> OneDNNBackend {
    OneDNNBackend(
      execution.mode, threads: threads, exact: exact, microBatch: microBatch?.value, tuning: tuning,
      tuningCache: execution == .compiled ? cache : nil)
  }
}
