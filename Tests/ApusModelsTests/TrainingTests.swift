import ApusAutodiff
import ApusIR
import ApusModels
import ApusNN
import ApusOneDNN
import ApusPJRT
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Foundation
import Testing

/// The device of the CPU plugin, where there is one.
private let xlaDevice = try? Device.open(DeviceName(platform: "cpu"))

@Suite("Training a network", .serialized)
struct TrainingTests {
  private static let size = 33

  /// A step of SGD on resnet18 with Swish: forward, loss, gradients, update and statistics.
  private func step(batch: Int) throws -> Graph {
    try trace(training: true) { scope in
      let images = scope.argument("images", .float32, [batch, 3, Self.size, Self.size])
      let labels = scope.argument("labels", .int32, [batch])
      let options = NetworkOptions(classes: 10, activation: .swish)
      let network = try model("resnet18").network(scope, options)
      let logits = try network(images)
      let loss = try crossEntropy(logits, labels)
      let rule = try UpdateRule(SGD(momentum: 0.9))
      let parameters = try rule.trainedParameters(scope)
      let gradients = try gradients(of: loss, withRespectTo: parameters.map(\.tensor))
      try rule.update(parameters, gradients, scope)
      return ["loss": loss]
    }
  }

  @Test("for 20 steps follows PyTorch's loss and running statistics")
  func cpu() throws {
    try expectPyTorchsSteps(OneDNNBackend(.compiled, threads: 2))
  }

  @Test(
    "follows them on XLA too",
    .enabled(if: xlaDevice != nil, "no XLA plugin: looked for xla-cpu-pjrt; see scripts/xla"))
  func xla() throws {
    try expectPyTorchsSteps(XLABackend(#require(xlaDevice), .compiled))
  }

  private func expectPyTorchsSteps(_ backend: any Backend) throws {
    let file = try #require(
      Bundle.module.path(forResource: "Fixtures/gradients/steps.txt", ofType: nil))
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    var store = ParameterStore()
    for (input, _) in try step(batch: 2).inputs {
      guard let path = input.path else { continue }
      // The optimiser's own state begins at zero.
      store[path] =
        path.hasPrefix("optimizer.")
        ? HostTensor(input.type, rounding: Array(repeating: 0, count: input.type.elementCount))
        : HashedWeights.tensor(path: path, shape: input.type.shape)
    }
    let session = Session(backend, store, graph: step)
    let arguments = [
      "images": HashedWeights.images(batch: 2, size: Self.size),
      "labels": HostTensor(TensorType(.int32, [2]), rounding: [3, 8]),
      "learning_rate": HostTensor([], [0.01]),
    ]
    for expected in lines[0].split(separator: " ").compactMap({ Double($0) }) {
      let loss = try #require(try session.run(arguments, batch: 2)["loss"]).floats[0]
      #expect(abs(Double(loss) - expected) <= 1e-3 * expected + 5e-6)
    }
    let trained = try session.updatedParameters
    for line in lines.dropFirst() {
      let words = line.split(separator: " ")
      let (path, expected) = (String(words[0]), try #require(Double(words[1])))
      let sum = try #require(trained[path]).doubles.reduce(0, +)
      #expect(abs(sum - expected) <= 1e-3 * max(1, expected.magnitude), "\(path)")
    }
  }
}
