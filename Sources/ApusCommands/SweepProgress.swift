import ApusBench
import Foundation

/// Shows on standard error how far a sweep is: a bar on a terminal, a line for each cell elsewhere.
struct SweepProgress {
  private let total: Int
  private var done = 0
  private var time: RemainingTime
  private let isTerminal = isatty(STDERR_FILENO) == 1

  /// - Parameter seconds: the estimates of what is to be measured.
  init(_ seconds: [Double]) {
    total = seconds.count
    time = RemainingTime(seconds)
  }

  /// Says what is measured now.
  func begin(_ job: SweepPlan.Job, of plan: SweepPlan) {
    let round = plan.repetitions > 1 ? ", round \(job.repetition) of \(plan.repetitions)" : ""
    let label = "\(job.cell)\(round)"
    if isTerminal {
      let line = ProgressBar.line(
        done: done, of: total, remaining: time.remaining, label: label, width: Self.width)
      Console.note("\r\u{1B}[K" + line)
    } else if total > 1 {
      let left = HumanNumber.time(time.remaining)
      Console.report("\(done + 1)/\(total) \(label) … about \(left) left")
    } else {
      Console.report("\(label) …")
    }
  }

  mutating func finish(estimated: Double, taken: Duration) {
    done += 1
    time.finish(estimated: estimated, taken: taken / .seconds(1))
  }

  /// Takes the bar away, so that something else can be printed.
  func clear() {
    if isTerminal { Console.note("\r\u{1B}[K") }
  }

  private static var width: Int {
    var size = winsize()
    let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return isKnown ? Int(size.ws_col) : 80
  }
}
