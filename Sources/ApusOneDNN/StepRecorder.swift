import ApusRuntime
import Glibc

/// When a run and its steps began and ended, in nanoseconds of the monotonic clock.
public struct RunTimes: Hashable, Sendable {
  public let run: Range<Int64>
  public let steps: [Range<Int64>]

  /// The nanoseconds in which no step ran.
  public var overhead: Int64 {
    Int64(run.count) - steps.reduce(0) { $0 + Int64($1.count) }
  }
}

/// Notes times while a run goes on, into memory that was there before.
final class StepRecorder {
  private var marks: [Int64] = []
  private let capacity: Int

  init(steps: Int) { capacity = 2 * steps + 2 }

  static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  func start() {
    marks.removeAll(keepingCapacity: true)
    marks.reserveCapacity(capacity)
  }

  /// Notes the beginning of the run, the beginning and end of each step, or the end of the run.
  func mark() { marks.append(Self.now) }

  /// The times of a run that came to its end.
  func times() -> RunTimes {
    let steps = stride(from: 1, to: marks.count - 1, by: 2).map { marks[$0]..<marks[$0 + 1] }
    return RunTimes(run: marks[0]..<marks[marks.count - 1], steps: steps)
  }
}

/// An execution that can say when each of its steps ran.
protocol RecordedExecution: Execution {
  /// - Parameter recorder: told the beginning and end of each step, unless there is none.
  func start(
    _ inputs: [DeviceTensor], _ recorder: StepRecorder?
  ) throws(BackendError) -> [DeviceTensor]
}

extension RecordedExecution {
  func start(_ inputs: [DeviceTensor]) throws(BackendError) -> [DeviceTensor] {
    try start(inputs, nil)
  }
}
