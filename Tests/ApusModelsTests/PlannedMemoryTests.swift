import ApusIR
import ApusModels
import ApusNN
import ApusPasses
import ApusPlan
import ApusTensor
import ApusTestSupport
import Testing

@Suite("The planned memory of a training step")
struct PlannedMemoryTests {
  /// The bytes of the arena of a step of SGD with momentum.
  private func arena(
    _ name: String, _ options: NetworkOptions = NetworkOptions(), batch: Int, size: Int = 224
  ) throws -> Int {
    let model = try #require(Catalogue.zoo[name])
    let graph = try trace(training: true) { scope in
      let images = scope.argument("images", .float32, [batch, 3, size, size])
      let labels = scope.argument("labels", .int32, [batch])
      let network = try model.network(scope, options)
      let logits = try network(images)
      let loss = try crossEntropy(logits, labels)
      try SGD(momentum: 0.9).minimize(loss, scope)
      return ["loss": loss]
    }
    return try Planner(.compiled, NoKernels()).plan(Passes.inference.run(graph))
      .arenaSizeInBytes
  }

  @Test("Mish step by step takes more than Mish, and that more than ReLU")
  func mish() throws {
    func arena(_ activation: ActivationFunction) throws -> Int {
      try self.arena("resnet34", NetworkOptions(activation: activation, stem: .deep), batch: 8)
    }
    let (naive, mish, relu) = (try arena(.naiveMish), try arena(.mish), try arena(.relu))
    #expect(naive > mish * 3 / 2)
    #expect(mish >= relu)
    #expect(try arena(.naiveSwish) > arena(.swish) * 5 / 4)
  }

  @Test("batch norm in place saves one set of activations")
  func inPlace() throws {
    // Of residual networks every sum stays alive beside the outputs of the norms.
    for (name, most) in [("vgg16_bn", 0.65), ("resnet50", 0.83), ("seresnext50_32x4d", 0.7)] {
      let options = NetworkOptions(activation: .leakyRelu(), norm: .activated)
      let kept = try arena(name, options, batch: 32)
      let inPlace = try arena(name, NetworkOptions(norm: .inPlace), batch: 32)
      #expect(Double(inPlace) < most * Double(kept), "\(name)")
    }
  }

  @Test("segments take less, and both ways together least")
  func segments() throws {
    func arena(_ options: NetworkOptions) throws -> Int {
      try self.arena("resnet50", options, batch: 32)
    }
    let none = try arena(NetworkOptions())
    let stages = try arena(NetworkOptions(checkpoint: .stages))
    #expect(stages < none * 48 / 100)
    #expect(try arena(NetworkOptions(checkpoint: .sqrt)) < none * 52 / 100)
    #expect(try arena(NetworkOptions(norm: .inPlace, checkpoint: .stages)) < none * 40 / 100)
  }

  @Test("resnet200_v2 takes less than resnet50_v2, and grows a fifth as fast as resnet152_v2")
  func ownSegments() throws {
    func growth(_ name: String) throws -> Double {
      try Double(arena(name, batch: 96) - arena(name, batch: 64)) / 32
    }
    #expect(try arena("resnet200_v2", batch: 20) < arena("resnet50_v2", batch: 20))
    let (deep, shallow) = (try growth("resnet200_v2"), try growth("resnet50_v2"))
    let ratio = try deep / growth("resnet152_v2")
    #expect((0.15..<0.3).contains(ratio))
    #expect(deep < shallow)
  }
}
