import ApusIR
import ApusRuntime

/// Runs a program as any other and says when each of its steps ran.
///
/// A step costs two readings of the clock more than in a run without profiler; caches, threads and
/// memory are the same.
public final class Profiler {
  /// The steps of a micro-batch.
  public let steps: [StepDescription]
  /// How many micro-batches a run goes through the steps for.
  public let microBatches: Int
  /// The graph's inputs that change from run to run.
  public let inputs: [Input]
  private let execution: any RecordedExecution
  private let recorder: StepRecorder

  fileprivate init(
    _ program: OneDNNProgram, _ execution: any RecordedExecution
  ) {
    steps = zip(program.plan.steps, program.kernels).map { StepDescription($0, $1) }
    inputs = program.inputs
    self.execution = execution
    microBatches = program.microBatches.count
    recorder = StepRecorder(steps: steps.count, microBatches: microBatches)
  }

  /// Runs the program once on inputs of its types.
  public func run(_ inputs: [DeviceTensor]) throws(BackendError) -> RunTimes {
    recorder.start()
    recorder.mark()
    let results = try execution.start(inputs, recorder)
    recorder.mark()
    withExtendedLifetime(results) {}
    return recorder.times()
  }
}

extension OneDNNBackend {
  /// Compiles a graph for runs whose steps are timed.
  public func profiler(
    for graph: Graph, _ parameters: PreparedParameters
  ) throws(BackendError) -> Profiler {
    let program = try makeProgram(graph, parameters)
    return Profiler(program, try program.makeRecordedExecution())
  }
}
