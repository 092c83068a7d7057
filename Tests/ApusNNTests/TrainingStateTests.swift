import ApusIR
import ApusNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

/// Linear least squares with dropped inputs, whose gradients are written by hand.
private struct LeastSquares {
  let batch: Shape = [5, 4]
  let truth: HostTensor
  let inputs: [HostTensor]

  init(runs: Int, seed: UInt64) {
    var random = RandomTensors(seed: seed)
    truth = random.tensor([3, 4])
    inputs = (0..<runs).map { _ in random.tensor([5, 4]) }
  }

  func graph() throws -> Graph {
    try trace(training: true) { scope in
      let x = scope.argument("x", .float32, batch)
      let wanted = try dot(x, scope.argument("truth", .float32, [3, 4]), transposesRight: true)
      let weight = scope.parameter("fc.weight", [3, 4], .uniformFanIn(4))
      let bias = scope.parameter("fc.bias", [3], .zeros)
      let kept = try x * scope.random(.bernoulli(0.9), batch)
      let error = try dot(kept, weight, transposesRight: true) + bias - wanted
      let slope = try error * (2 / Double(15))  // of the mean over [5, 3]
      let mean = scope.state("mean", [4], .zeros)
      scope.update("mean", try mean * 0.9 + x.mean(0) * 0.1)
      let rule = try UpdateRule(
        AdamW(), undecayed: .vectors, clipping: .globalNorm(0.5), microSteps: 3,
        averaging: ParameterAveraging(decay: 0.9))
      let gradients = [try dot(slope, kept, transposesLeft: true), try slope.sum(0)]
      try rule.update([("fc.weight", weight), ("fc.bias", bias)], gradients, scope)
      return ["loss": try (error * error).mean(0, 1)]
    }
  }

  /// Runs `range` of the batches; the plateau sees every loss.
  func train(
    _ session: Session, _ range: Range<Int>, _ schedule: inout PlateauSchedule
  ) throws -> [Float] {
    var losses: [Float] = []
    for run in range {
      let rate = HostTensor([], [Float(schedule.learningRate(at: run))])
      let arguments = ["x": inputs[run], "truth": truth, "learning_rate": rate]
      let results = try session.run(arguments, batch: 5)
      losses += results["loss"]?.floats ?? []
      schedule.observe(Double(losses.last ?? 0))
    }
    return losses
  }
}

@Suite("The state of a training")
struct TrainingStateTests {
  @Test(
    "A run that is saved, stopped and loaded ends in the same bits, also between micro-steps",
    arguments: [6, 7, 11], 0..<3)
  func resuming(saved: Int, backend: Int) throws {
    let backend = backends[backend]
    let runs = 24
    let problem = LeastSquares(runs: runs, seed: .random(in: 0 ... .max))
    let graph = try problem.graph()
    let fresh = ParameterStore(initializing: graph, seed: .random(in: 0 ... .max))
    let seed = UInt64.random(in: 0 ... .max)
    let folder = try TemporaryFolder()
    let path = folder.path + "/training.safetensors"
    let start = try PlateauSchedule(0.1, factor: 0.5, patience: 0)

    let whole = Session(backend, fresh, seed: seed) { _ in graph }
    var schedule = start
    let losses = try problem.train(whole, 0..<runs, &schedule)
    #expect(schedule.learningRate(at: runs) < 0.1)

    try {
      let session = Session(backend, fresh, seed: seed) { _ in graph }
      var schedule = start
      let first = try problem.train(session, 0..<saved, &schedule)
      #expect(first == Array(losses[..<saved]))
      let progress = ["run": "\(saved)", "plateau \"x\"\n": schedule.position.description]
      try session.trainingState(progress: progress).write(to: path)
      // What follows is lost.
      _ = try problem.train(session, saved..<saved + 2, &schedule)
    }()

    let state = try TrainingState(path: path, matching: graph)
    let resumed = Session(backend, state.parameters) { _ in graph }
    resumed.restore(state)
    var later = start
    later.position = try #require(
      PlateauSchedule.Position(state.progress["plateau \"x\"\n"] ?? ""))
    let run = try #require(Int(state.progress["run"] ?? ""))
    #expect(try problem.train(resumed, run..<runs, &later) == Array(losses[saved...]))
    #expect(later == schedule)
    let (end, other) = (try whole.updatedParameters, try resumed.updatedParameters)
    #expect(Set(end.paths) == Set(other.paths))
    for path in end.paths {
      let (a, b) = (try #require(end[path]), try #require(other[path]))
      #expect(a.isIdentical(to: b), "\(path)")
    }
  }

  @Test("Training with all of it together comes near the truth")
  func fits() throws {
    let problem = LeastSquares(runs: 600, seed: .random(in: 0 ... .max))
    let graph = try problem.graph()
    let session = Session(ReferenceBackend(), ParameterStore(initializing: graph)) { _ in graph }
    var schedule = try PlateauSchedule(0.05, patience: 1000)
    let losses = try problem.train(session, 0..<600, &schedule)
    // Not to 0: what is dropped is missing from the answer.
    let (early, late) = (losses.prefix(6).reduce(0, +) / 6, losses.suffix(60).reduce(0, +) / 60)
    #expect(late * 2 < early)
    let averaged = try session.updatedParameters.averaged()
    let weight = try #require(averaged["fc.weight"])
    // Dropping inputs shrinks the weights that fit best by about a tenth.
    let near = Tolerance(relative: 0.3)
    #expect(difference(weight, from: problem.truth, within: near) == nil)
  }

  @Test("Weights, other networks' states and damaged ones are errors that say what they are")
  func errors() throws {
    let problem = LeastSquares(runs: 1, seed: 1)
    let graph = try problem.graph()
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    func message(_ metadata: [String: String], dropping dropped: String?) throws -> String {
      var store = ParameterStore(initializing: graph)
      if let dropped { store[dropped] = nil }
      try store.writeSafetensors(to: path, metadata: metadata)
      do {
        _ = try TrainingState(path: path, matching: graph)
        return ""
      } catch { return "\(error)" }
    }
    #expect(try message(["training.random": "7"], dropping: nil) == "")
    #expect(
      try message([:], dropping: nil)
        == "\(path): must be a saved training, got a file of weights\n"
        + "  hint: load it as weights to begin a training from them")
    #expect(
      try message(["training.random": "seven"], dropping: nil)
        == "\(path): training.random: must be the state of a random stream, got seven")
    let dropped = "optimizer.exp_avg.fc.weight"
    #expect(
      try message(["training.random": "7"], dropping: dropped)
        .contains("missing: \(dropped): expected float32[3, 4]"))
  }
}
