import ApusIR
import ApusPasses
import ApusPlan
import ApusRuntime

/// What a run takes and returns, and in how many equal parts along axis 0 a plan computes it.
struct MicroBatches: Sendable {
  let count: Int
  /// Of the whole batch.
  let inputs: [Input]
  /// Of the whole batch.
  let resultTypes: [TensorType]

  /// One part.
  init(whole plan: Plan) {
    count = 1
    inputs = plan.inputs
    resultTypes = plan.results.map(\.operand.type)
  }

  /// - Parameter graph: of the whole batch; runs change all its inputs but parameters and states.
  init(_ count: Int, of graph: Graph) {
    self.count = count
    inputs = graph.inputs.map(\.input).filter { $0.path == nil }
    resultTypes = graph.outputs.map { graph[$0.value] }
  }
}

extension OneDNNBackend {
  /// The graph that runs go through, for as many images as run at a time.
  func microBatched(_ graph: Graph) throws(BackendError) -> Graph {
    guard mode == .compiled else { return graph }
    if let microBatch { return try microBatched(graph, microBatch) }
    guard let batch = graph.batch, batch > MicroBatchRule.largest,
      let single = graph.rebatched(to: 1)
    else { return graph }
    let plan = try plan(single, nil, images: images).plan
    let rule = MicroBatchRule(
      batch: batch, arena: plan.arenaSizeInBytes, filters: plan.preparedSizeInBytes)
    return rule.size == batch ? graph : graph.rebatched(to: rule.size) ?? graph
  }

  private func microBatched(_ graph: Graph, _ size: Int) throws(BackendError) -> Graph {
    if size == graph.batch { return graph }
    if let batch = graph.batch, size < 1 || batch % size != 0 {
      throw .unsupported(
        "micro-batch \(size): must divide the number of images that run together, got \(batch)")
    }
    guard let smaller = graph.rebatched(to: size) else {
      throw .unsupported(
        "micro-batch \(size): every result must depend on one image alone, got a graph of which "
          + "that is not certain; leave the micro-batch out")
    }
    return smaller
  }

  /// How many images a compiled program runs at a time; `nil` for others, and where its inputs have
  /// no batch.
  package static func microBatch(of program: any Program) -> Int? {
    guard let program = program as? OneDNNProgram, program.mode == .compiled,
      let batch = program.inputs.first?.type.shape.first
    else { return nil }
    return batch / program.microBatches.count
  }
}
