import Apus
import ApusOneDNN

/// A training that goes on with every step, always on the same images.
struct TrainingRun {
  /// How long the forward half of each step took, in nanoseconds, where the backend says so.
  private(set) var forward: [Int64] = []
  private var steps = 0
  private var last: DeviceTensor?
  private let session: Session
  private let execution: any Execution
  private let arguments: [String: DeviceTensor]
  private let batch: Int

  private static let learningRate: Float = 0.01

  /// - Parameter session: of a graph of `Model.graph(_:batch:imageSize:_:)`.
  init(
    _ session: Session, batch: Int, images: HostTensor, labels: HostTensor
  ) throws {
    self.session = session
    self.batch = batch
    let (program, execution) = try session.execution(batch: batch)
    self.execution = execution
    let given = [
      "images": images, "labels": labels, "learning_rate": HostTensor([], [Self.learningRate]),
    ]
    var arguments: [String: DeviceTensor] = [:]
    for (index, input) in program.inputs.enumerated() {
      // They are where the program reads them, as a data loader leaves them.
      if let tensor = given[input.name] {
        arguments[input.name] = try program.upload(tensor, input: index)
      }
    }
    self.arguments = arguments
  }

  /// Runs a step to its end.
  mutating func step() throws {
    let results = try session.start(arguments, batch: batch)
    for result in results.values { try result.wait() }
    last = results["loss"]
    steps += 1
    if let time = OneDNNBackend.nanosecondsUntilFirstResult(of: execution) { forward.append(time) }
  }

  /// The loss before the last step.
  ///
  /// - Throws: unless it is a number, which times of it would not be worth anything without.
  func loss() throws -> Double {
    let loss = try last?.hostTensor().doubles.first ?? .nan
    guard loss.isFinite else {
      throw InputError(
        "the loss must be finite, got \(loss) after \(steps) steps; begin with other weights "
          + "(--weights), or a network with batch norms")
    }
    return loss
  }
}
