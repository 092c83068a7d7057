import ApusIR

/// What a training needs in order to go on, to the bit, as if it had never stopped.
public struct TrainingState: Sendable {
  /// Parameters, batch-norm statistics, the optimiser's states and averages, by path.
  public var parameters: ParameterStore
  /// The stream of the random inputs.
  public var random: RandomSource
  /// What the caller keeps, by name: steps done, where schedules and datasets are.
  public var progress: [String: String]
  /// How the network's batch norms use their scales, in the words of its options; `nil` is the usual
  /// way.
  public var norm: String?

  public init(
    parameters: ParameterStore, random: RandomSource, progress: [String: String] = [:],
    norm: String? = nil
  ) {
    self.parameters = parameters
    self.random = random
    self.progress = progress
    self.norm = norm
  }

  /// Reads a state that was written for a graph with the same parameters and states.
  public init(path: String, matching graph: Graph) throws(WeightsError) {
    let file = try WeightFile(path: path)
    guard let text = file.metadata[Self.randomKey] else {
      throw WeightsError(path: path, reason: .notTrainingState)
    }
    guard let state = UInt64(text) else {
      throw WeightsError(
        path: path,
        reason: .invalid(
          part: Self.randomKey, rule: "must be the state of a random stream", got: text))
    }
    let expected = graph.inputs.compactMap { input, _ in
      input.path.map { (path: $0, type: input.type) }
    }
    parameters = try ParameterStore(file, matching: expected)
    random = RandomSource(state: state)
    norm = file.metadata[Self.normKey]
    progress = [:]
    for (key, text) in file.metadata where key.hasPrefix(Self.progressPrefix) {
      progress[String(key.dropFirst(Self.progressPrefix.count))] = text
    }
  }

  /// Writes a safetensors file, which replaces one of that name only when complete: whoever is
  /// stopped meanwhile goes on from that.
  public func write(to path: String) throws(WeightsError) {
    var metadata = [Self.randomKey: String(random.state)]
    metadata[Self.normKey] = norm
    for (key, text) in progress { metadata[Self.progressPrefix + key] = text }
    try parameters.writeSafetensors(to: path, metadata: metadata)
  }

  /// Where a file's metadata says what its scales of batch norms mean.
  public static let normKey = "norm"
  private static let randomKey = "training.random"
  private static let progressPrefix = "training.progress."
}
