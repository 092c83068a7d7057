import ApusBench
import Foundation

/// Why the process of a cell has no result to show.
struct CellFailure {
  let status: BenchRow.Status
  let reason: String

  /// - Parameter kills: how many processes the system had ended for want of memory, before and after;
  ///   nil where it does not count.
  /// - Returns: nil where someone asked to stop.
  init?(
    _ outcome: ChildProcess.Outcome, _ flags: SweepFlags, kills: (before: Int?, after: Int?)
  ) {
    let remedy = "use a smaller batch or image"
    switch outcome.end {
    case .interrupted: return nil
    case .timedOut:
      status = .timeout
      let limit = HumanNumber.time(flags.timeout?.duration ?? outcome.duration)
      reason = "took longer than \(limit); raise --timeout"
    case .tooLarge(let resident):
      status = .oom
      let limit = HumanNumber.bytes(flags.memoryLimit?.bytes ?? 0)
      reason =
        "out of memory: the process took \(HumanNumber.bytes(resident)), more than "
        + "--memory-limit \(limit) leaves room for; \(remedy)"
    case .signalled(SIGKILL) where kills.before == nil || kills.before != kills.after:
      status = .oom
      reason = "out of memory: the system ended the process (SIGKILL); \(remedy)"
    case .signalled(let signal):
      status = .failed
      reason =
        "the process was ended by signal \(signal) (\(Self.name(signal)))"
        + Self.lastWords(outcome.messages)
    case .exited(let code):
      status = .failed
      reason =
        "the process ended with exit code \(code) and no result"
        + Self.lastWords(outcome.messages)
    }
  }

  private static func name(_ signal: Int32) -> String {
    strsignal(signal).map { String(cString: $0) } ?? "unknown"
  }

  /// The line that says most: that of an error, else the last.
  private static func lastWords(_ messages: String) -> String {
    let lines = messages.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    let line = lines.first { $0.localizedCaseInsensitiveContains("error") } ?? lines.last
    return line.map { ": \($0.prefix(300))" } ?? ""
  }
}
