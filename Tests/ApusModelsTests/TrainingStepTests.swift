import ApusIR
import ApusModels
import ApusOneDNN
import ApusPJRT
import ApusPasses
import ApusRuntime
import ApusStableHLO
import Foundation
import Testing

/// The device of the CPU plugin, where there is one.
private let xlaDevice = try? Device.open(DeviceName(platform: "cpu"))

@Suite("The graph of a training step")
struct TrainingStepTests {
  private func bytes(_ graph: Graph, where isWanted: (String) -> Bool) -> Int {
    graph.inputs.reduce(0) { sum, entry in
      entry.input.path.map(isWanted) == true ? sum + entry.input.type.sizeInBytes : sum
    }
  }

  @Test("has the loss, every gradient, or every next value among its results")
  func results() throws {
    let model = try model("resnet18")
    let parameters = try model.graph(batch: 1).inputs.compactMap { input, _ in
      if case .parameter(let path) = input.role { path } else { nil }
    }
    for step in TrainingStep.allCases {
      let graph = try model.graph(step, batch: 2, imageSize: 64)
      try graph.verify()
      let names = graph.outputs.compactMap { output in
        if case .result(let name) = output.role { name } else { nil }
      }
      #expect(names == (step == .gradients ? ["loss"] + parameters : ["loss"]))
      let updated = graph.updatedPaths
      // The statistics of 20 batch norms are updated by each.
      let weights = updated.filter { !$0.contains("running_") && !$0.hasPrefix("optimizer.") }
      #expect(updated.count { $0.contains("running_") } == 40)
      #expect(weights == (step == .update ? Set(parameters) : []))
    }
    #expect {
      _ = try model.graph(.update, batch: 1, imageSize: 0)
    } throws: { _ in true }
  }

  @Test(
    "runs on XLA in the memory of parameters and momentum",
    .enabled(if: xlaDevice != nil, "no XLA plugin: looked for xla-cpu-pjrt; see scripts/xla"))
  func aliases() throws {
    let graph = try model("resnet18").graph(.update, batch: 2, imageSize: 32)
    let program = try XLABackend(#require(xlaDevice)).compile(
      graph, PreparedParameters(ParameterStore(initializing: graph)))
    let memory = try #require(try XLABackend.memory(of: program))
    // Everything with a path: parameters, statistics, momentum and the count of steps.
    #expect(memory.alias == bytes(graph) { _ in true })
    #expect(program.plannedSizeInBytes.states == memory.alias)
  }
}
