import ApusPlan
import ApusRuntime
import Glibc

/// When a run and its steps began and ended, in nanoseconds of the monotonic clock.
public struct RunTimes: Hashable, Sendable {
  public let run: Range<Int64>
  /// The steps of each micro-batch, in order.
  public let microBatches: [[Range<Int64>]]

  /// The nanoseconds in which a step ran, all micro-batches together.
  public func nanoseconds(ofStep step: Int) -> Int64 {
    microBatches.reduce(0) { $0 + Int64($1[step].count) }
  }

  /// The nanoseconds in which no step ran.
  public var overhead: Int64 {
    Int64(run.count) - microBatches.joined().reduce(0) { $0 + Int64($1.count) }
  }
}

/// Notes times while a run goes on, into memory that was there before.
final class StepRecorder {
  private var marks: [Int64] = []
  private let steps: Int
  private let microBatches: Int

  init(steps: Int, microBatches: Int) {
    self.steps = steps
    self.microBatches = microBatches
  }

  static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  func start() {
    marks.removeAll(keepingCapacity: true)
    marks.reserveCapacity(2 * steps * microBatches + 2)
  }

  /// Notes the beginning of the run, the beginning and end of each step, or the end of the run.
  func mark() { marks.append(Self.now) }

  /// The times of a run that came to its end.
  func times() -> RunTimes {
    let times = (0..<microBatches).map { microBatch in
      (0..<steps).map { step in
        let mark = 1 + 2 * (microBatch * steps + step)
        return marks[mark]..<marks[mark + 1]
      }
    }
    return RunTimes(run: marks[0]..<marks[marks.count - 1], microBatches: times)
  }
}

/// An execution that can say when each of its steps ran.
protocol RecordedExecution: Execution {
  /// - Parameter recorder: told the beginning and end of each step, unless there is none.
  func start(
    _ inputs: [DeviceTensor], _ recorder: StepRecorder?
  ) throws(BackendError) -> [DeviceTensor]

  /// When the last run had made its first result.
  var firstResult: FirstResultClock { get }
}

extension RecordedExecution {
  func start(_ inputs: [DeviceTensor]) throws(BackendError) -> [DeviceTensor] {
    try start(inputs, nil)
  }
}

/// Notes how long a run takes for its first result: of a training step the loss, so that this is the
/// time of the forward half.
struct FirstResultClock {
  private let lastStep: Int?
  private var begin: Int64 = 0
  private var end: Int64 = 0

  init(_ plan: Plan) { lastStep = plan.stepsUntilFirstResult.map { $0 - 1 } }

  mutating func start() { begin = StepRecorder.now }

  mutating func mark(afterStep step: Int) {
    if step == lastStep { end = StepRecorder.now }
  }

  /// `nil` where no step makes a result.
  var nanoseconds: Int64? { lastStep == nil ? nil : end - begin }
}

extension OneDNNBackend {
  /// How long an execution's last run took for its first result, in nanoseconds; `nil` for
  /// executions of other backends, and where no step makes one.
  package static func nanosecondsUntilFirstResult(of execution: any Execution) -> Int64? {
    (execution as? any RecordedExecution)?.firstResult.nanoseconds
  }
}
