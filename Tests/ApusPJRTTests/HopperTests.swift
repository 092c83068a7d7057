import ApusAutodiff
import ApusIR
import ApusModels
import ApusPJRT
import ApusRuntime
import ApusStableHLO
import ApusTensor
import Testing

/// What XLA makes of whole networks for a GPU of the Hopper generation: a spelling of the program
/// that it does not recognise would cost a factor, and no test of numbers would notice.
@Suite(
  "Networks compiled for a GPU that is not there", .serialized,
  .enabled(if: CUDAPlugin.path != nil, CUDAPlugin.missing))
struct HopperTests {
  /// The library calls and kernels of a network.
  struct Expected: Sendable {
    let model: String
    let batch: Int
    /// Convolutions with bias and activation, and for residual blocks the sum, in one call.
    let fused: Int
    /// Convolutions whose activation is a kernel of its own, because cuDNN's call has none such.
    var plain = 0
    /// A flatten of more than one pixel.
    var transposes = 0
    let mostTemporaryBytes: Int
  }

  @Test(
    "call cuDNN once for each convolution, and transpose nothing",
    arguments: [
      Expected(model: "resnet50", batch: 1, fused: 53, mostTemporaryBytes: 4_100_000),
      Expected(model: "resnet50", batch: 128, fused: 53, mostTemporaryBytes: 465_000_000),
      Expected(
        model: "vgg16", batch: 8, fused: 13, transposes: 1, mostTemporaryBytes: 110_000_000),
      Expected(model: "inception_v3", batch: 8, fused: 94, mostTemporaryBytes: 34_000_000),
      Expected(
        model: "efficientnet_b0", batch: 8, fused: 65, plain: 16, mostTemporaryBytes: 40_000_000),
      Expected(model: "seresnext50_32x4d", batch: 8, fused: 85, mostTemporaryBytes: 40_000_000),
    ])
  func network(expected: Expected) throws {
    let plugin = try Plugin.load(path: #require(CUDAPlugin.path))
    let topology = try Topology(plugin, target: CUDAPlugin.hopper)
    let model = try #require(Catalogue.zoo[expected.model])
    let graph = try XLALowering(.compiled, .bfloat16, verifies: true)
      .split(model.graph(batch: expected.batch)).run
    let module = try Emitter().module(for: graph)
    let executable = try topology.compile(module)
    let program = try executable.optimizedProgram()
    let instructions = program.computations.flatMap(\.instructions)
    let calls = instructions.compactMap(\.callTarget).filter { $0.hasPrefix("__cudnn$conv") }
    #expect(calls.count { $0 == "__cudnn$convBiasActivationForward" } == expected.fused)
    #expect(calls.count == expected.fused + expected.plain)
    #expect(instructions.count { $0.isTranspose } == expected.transposes)
    let memory = try #require(try executable.memory())
    #expect(memory.temporary <= expected.mostTemporaryBytes)
    let kernels = program.entry?.instructions.count { $0.opcode == "fusion" } ?? 0
    print(
      "\(expected.model), batch \(expected.batch): \(calls.count) calls of cuDNN, \(kernels) other "
        + "kernels, \(memory.temporary) bytes of temporary memory")
  }

  @Test("call cuDNN's own gradients in training, and scatter nothing")
  func gradients() throws {
    let plugin = try Plugin.load(path: #require(CUDAPlugin.path))
    let topology = try Topology(plugin, target: CUDAPlugin.hopper)
    let module = try Emitter(allowsTF32: true).module(for: gradientsOfResNet50(batch: 32))
    let executable = try topology.compile(module)
    let instructions = try executable.optimizedProgram().computations.flatMap(\.instructions)
    let calls = Dictionary(
      grouping: instructions.compactMap(\.callTarget).filter { $0.hasPrefix("__cudnn$conv") },
      by: { $0 }
    ).mapValues(\.count)
    // The gradient of a 1×1 convolution of stride 1 is a forward one; the images need none.
    let pointwise = 33
    #expect(calls["__cudnn$convBackwardFilter"] == 53)
    #expect(calls["__cudnn$convBackwardInput"] == 52 - pointwise)
    let forward = calls.filter { !$0.key.contains("Backward") }.values.reduce(0, +)
    #expect(forward == 53 + pointwise)
    #expect(instructions.count { $0.opcode.contains("scatter") } == 0)
    let memory = try #require(try executable.memory())
    print(
      "resnet50 and its gradients, batch 32: \(calls), \(memory.temporary) bytes of temporary"
        + " memory, \(instructions.count { $0.isTranspose }) transposes")
  }

  @Test("train in the memory of parameters and momentum, and turn no window of a convolution")
  func step() throws {
    let plugin = try Plugin.load(path: #require(CUDAPlugin.path))
    let topology = try Topology(plugin, target: CUDAPlugin.hopper)
    let graph = try #require(Catalogue.zoo["resnet50"]).graph(.update, batch: 32)
    let run = try XLALowering(.compiled, verifies: true).split(graph).run
    let module = try Emitter(allowsTF32: true).module(for: run)
    #expect(module.text.contains("window_reversal = array<i1: false, false>"))
    #expect(!module.text.contains("window_reversal = array<i1: true"))
    let memory = try #require(try topology.compile(module).memory())
    let states = graph.inputs.reduce(0) { sum, entry in
      entry.input.path == nil ? sum : sum + entry.input.type.sizeInBytes
    }
    #expect(memory.alias == states)
    print(
      "resnet50's step, batch 32: \(memory.alias) bytes aliased, \(memory.temporary) temporary")
  }

  /// The mean square of the logits and its gradients by all parameters.
  private func gradientsOfResNet50(batch: Int) throws -> Graph {
    var values: [Value] = []
    var graph = try trace(training: true) { scope in
      let images = scope.argument("images", .float32, [batch, 3, 224, 224])
      let network = try #require(Catalogue.zoo["resnet50"]).network(scope)
      let logits = try network(images)
      let loss = try (logits * logits).mean(0, 1)
      let parameters = loss.builder.graph.inputs.filter { input, _ in
        if case .parameter = input.role { true } else { false }
      }
      values = try ApusAutodiff.gradients(
        of: loss, withRespectTo: parameters.map { Tensor(loss.builder, $0.value) }
      ).map(\.value)
      return ["loss": loss]
    }
    for (index, value) in values.enumerated() { graph.output(.result("\(index)"), value) }
    return graph
  }
}

extension OptimizedProgram.Instruction {
  /// Whether elements move: a transpose of axes of extent 1 is none.
  fileprivate var isTranspose: Bool { opcode == "transpose" }
}
