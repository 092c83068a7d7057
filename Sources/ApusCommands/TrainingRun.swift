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
    let given = Self.arguments(images: images, labels: labels)
    var arguments: [String: DeviceTensor] = [:]
    for (index, input) in program.inputs.enumerated() {
      // They are where the program reads them, as a data loader leaves them.
      if let tensor = given[input.name] {
        arguments[input.name] = try program.upload(tensor, input: index)
      }
    }
    self.arguments = arguments
  }

  /// What each step is given, by name.
  static func arguments(images: HostTensor, labels: HostTensor) -> [String: HostTensor] {
    ["images": images, "labels": labels, "learning_rate": HostTensor([], [learningRate])]
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
  /// - Throws: ``NonFiniteLoss`` unless it is a number.
  func loss() throws -> Double {
    let loss = try last?.hostTensor().doubles.first ?? .nan
    guard loss.isFinite else { throw NonFiniteLoss(loss: loss, steps: steps) }
    return loss
  }
}
