import ApusIR
import ApusModels
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

/// Expected parameters and logits are torchvision's; `Fixtures/versions.txt` says which.
@Suite("ResNets")
struct ResNetTests {
  static let names = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
  static let modes: [Planner.Mode] = [.eager, .compiled]

  @Test(
    "have torchvision's number of trained values",
    arguments: zip(names, [11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808]))
  func parameterCount(name: String, count: Int) throws {
    #expect(try model(name).graph(batch: 1).parameterCount == count)
  }

  @Test("have torchvision's parameters: paths, shapes and order", arguments: names)
  func parameters(name: String) throws {
    let file = try fixture("parameters/\(name).txt")
    let expected = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    let graph = try model(name).graph(batch: 1)
    let got = graph.inputs.compactMap { input, _ in
      input.path.map { "\($0) \(input.type.shape.map(String.init).joined(separator: "x"))" }
    }
    #expect(Set(got) == Set(expected.map(String.init)))
    #expect(got == expected.map(String.init))
  }

  @Test(
    "classify as torchvision's do", arguments: ["resnet18", "resnet34", "resnet50"],
    [1, 3])
  func logits(name: String, batch: Int) throws {
    let parameters = PreparedParameters(try weights(name))
    for mode in Self.modes {
      for threads in [1, 2] {
        try checkLogits(name, batch, OneDNNBackend(mode, threads: threads), parameters)
      }
    }
  }

  @Test("classify as torchvision's do, the deep ones", arguments: ["resnet101", "resnet152"])
  func deepLogits(name: String) throws {
    let parameters = PreparedParameters(try weights(name))
    try checkLogits(name, 1, OneDNNBackend(.compiled, threads: 2), parameters)
  }

  @Test("classify images of an odd size as torchvision's do", arguments: names)
  func oddSize(name: String) throws {
    let expected = try NumPyFile.read(fixture("logits/\(name)-193x257.npy"))
    let images = cropped(HashedWeights.images(batch: 1, size: 257), to: [193, 257])
    let program = try OneDNNBackend(.compiled, threads: 2).compile(
      model(name).graph(images: images.shape), PreparedParameters(weights(name)))
    let got = try program.makeExecution().run([images])[0]
    #expect(difference(got, from: expected, within: Tolerance(relative: 1e-4)) == nil)
  }

  @Test(
    "give the reference's logits at other sizes",
    arguments: [
      ("resnet18", [64, 64]), ("resnet18", [65, 97]), ("resnet34", [33, 47]),
      ("resnet50", [64, 64]), ("resnet50", [65, 97]), ("resnet101", [33, 17]),
      ("resnet152", [17, 33]),
    ])
  func otherSizes(name: String, size: [Int]) throws {
    let images = cropped(HashedWeights.images(batch: 2, size: 97), to: size)
    // A batch of one for the slow reference, which the batch of two contains.
    let single = HostTensor(
      Shape([1, 3] + size), Array(images.floats.prefix(3 * size[0] * size[1])))
    let store = try weights(name, classes: 10)
    func run(_ backend: any Backend, _ images: HostTensor) throws -> [Float] {
      let graph = try model(name).graph(images: images.shape, NetworkOptions(classes: 10))
      let program = try backend.compile(graph, PreparedParameters(store))
      return try program.makeExecution().run([images])[0].floats
    }
    let expected = HostTensor([10], try run(ReferenceBackend(), single))
    for mode in Self.modes {
      let both = try run(OneDNNBackend(mode, threads: 2), images)
      let got = HostTensor([10], Array(both.prefix(10)))
      #expect(difference(got, from: expected, within: Tolerance(relative: 1e-4)) == nil)
    }
  }

  @Test("have as many nodes as layers need")
  func nodes() throws {
    // 155 convolutions with a batch norm (5 parameters) each, 151 rectifiers, 50 sums, one pooling;
    // then the mean, two parameters, a dot product, a broadcast and a sum; the images.
    let graph = try model("resnet152").graph(batch: 1)
    #expect(graph.nodes.count == 155 * 7 + 151 + 50 + 1 + 6 + 1)
    try graph.verify()
  }

  @Test("take images of one pixel, as torchvision's do, but none without pixels")
  func smallImages() throws {
    #expect(try model("resnet18").graph(batch: 1, imageSize: 1).outputs.count == 1)
    #expect {
      try model("resnet18").graph(batch: 1, imageSize: 0)
    } throws: { "\($0)".hasPrefix("input: every extent must be at least 1") }
    #expect {
      try model("resnet18").graph(batch: 0)
    } throws: { "\($0)".hasPrefix("input: every extent must be at least 1") }
    #expect {
      try model("resnet18").graph(batch: 1, NetworkOptions(classes: 0))
    } throws: { "\($0)" == "resnet18: classes must be in 1...1073741824, got 0" }
    #expect {
      try model("resnet50").graph(images: [1, 4, 64, 64])
    } throws: { "\($0)".hasPrefix("conv1: convolution: input channels must equal") }
  }

  private func checkLogits(
    _ name: String, _ batch: Int, _ backend: OneDNNBackend, _ parameters: PreparedParameters
  ) throws {
    let expected = try NumPyFile.read(fixture("logits/\(name)-b\(batch).npy"))
    let graph = try model(name).graph(batch: batch)
    let images = HashedWeights.images(batch: batch, size: 224)
    let program = try backend.compile(graph, parameters)
    let got = try program.makeExecution().run([images])[0]
    let wrong = difference(got, from: expected, within: Tolerance(relative: 1e-4))
    #expect(wrong == nil)
    print(
      "\(name), batch \(batch), \(backend.mode), \(backend.threads) threads: logits differ by "
        + "\(distance(got.floats[...], expected.floats[...])) of the largest")
    let rows = (0..<batch).map { got.floats[$0 * 1000..<($0 + 1) * 1000] }
    for (index, row) in rows.enumerated() {
      for other in rows[..<index] { #expect(distance(row, other) >= 0.1) }
    }
  }
}

func model(_ name: String) throws -> Model { try #require(Catalogue.zoo[name]) }

/// Every parameter of a network, hashed from its path.
private func weights(_ name: String, classes: Int = 1000) throws -> ParameterStore {
  var store = ParameterStore()
  for (input, _) in try model(name).graph(batch: 1, NetworkOptions(classes: classes)).inputs {
    if let path = input.path {
      store[path] = HashedWeights.tensor(path: path, shape: input.type.shape)
    }
  }
  return store
}

private func fixture(_ name: String) throws -> String {
  try #require(Bundle.module.path(forResource: "Fixtures/\(name)", ofType: nil))
}

/// The upper left part of images.
private func cropped(_ images: HostTensor, to size: [Int]) -> HostTensor {
  let (planes, side) = (images.shape[0] * 3, images.shape[2])
  let values = images.floats
  let rows = (0..<planes * size[0]).flatMap { index in
    let start = (index / size[0] * side + index % size[0]) * side
    return values[start..<start + size[1]]
  }
  return HostTensor(Shape([images.shape[0], 3] + size), rows)
}

/// The largest difference, relative to the largest value.
private func distance(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float {
  let largest = (a + b).map(\.magnitude).max() ?? 0
  return zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } / largest
}
