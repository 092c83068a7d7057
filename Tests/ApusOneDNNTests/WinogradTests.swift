import ApusIR
import ApusOneDNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Convolutions in Winograd's tiles")
struct WinogradTests {
  private static let activations: [Activation?] = [
    nil, .relu, .relu6, .leakyRelu(slope: 0.1), .elu(alpha: 0.7), .swish, .hardSwish, .mish,
  ]

  /// Two convolutions, the second one added to what an earlier one left in its destination.
  private func graph(
    _ images: Shape, outputs: Int, filter size: Size2D = Size2D(3), _ padding: Padding2D,
    _ activation: Activation?
  ) throws -> Graph {
    let (rows, columns) = (size.height / 2, size.width / 2)
    let same = Padding2D(top: rows, left: columns, bottom: rows, right: columns)
    return try trace { scope in
      func convolve(_ name: String, _ x: Tensor, _ padding: Padding2D) throws -> Tensor {
        let filter = scope.parameter(
          "\(name).w", [outputs, x.shape[1], size.height, size.width], .heNormal)
        let bias = scope.parameter("\(name).b", [outputs], .zeros)
        return try convolution(x, filter, bias: bias, Convolution(padding: padding))
      }
      let x = scope.argument("x", .float32, images)
      var shortcut = try convolve("a", x, padding)
      if let activation { shortcut = try shortcut.activated(activation) }
      var y = try convolve("b", shortcut * 0.5, same) + shortcut
      if let activation { y = try y.activated(activation) }
      return ["y": try y * 0.1]
    }
  }

  @Test("equal the reference with bias, residual and activation fused", arguments: activations)
  func fused(activation: Activation?) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix64(seed: seed)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    let padding = Padding2D(
      top: pick(0...2), left: pick(0...2), bottom: pick(0...2), right: pick(0...2))
    let graph = try graph(
      [pick(3...5), pick(24...40), pick(9...14), pick(9...14)], outputs: pick(24...40), padding,
      activation)
    let plan = try OneDNNBackend(.compiled, threads: 2).planDescription(of: graph)
    let fused = activation.map { "+\($0.name)" } ?? ""
    let steps = plan.split(separator: "\n").filter { $0.contains(" by winograd") }
    #expect(steps.count == 2, "seed \(seed)\n\(plan)")
    #expect(steps.last?.contains("convolution+sum\(fused)(") == true, "seed \(seed)")
    try expectReferenceResults(
      graph, seed: seed, within: Tolerance(relative: 1e-4, absolute: 1e-4))
  }

  @Test(
    "equal the reference where filters are a row, a column or 5×5",
    arguments: [Size2D(1, 3), Size2D(5, 1), Size2D(1, 7), Size2D(7, 1), Size2D(5)])
  func otherFilters(filter: Size2D) throws {
    let seed = UInt64.random(in: 0 ... .max)
    let padding = Padding2D(
      top: filter.height / 2, left: filter.width - 1, bottom: filter.height / 2, right: 0)
    let graph = try graph([3, 40, 12, 12], outputs: 33, filter: filter, padding, .relu)
    let plan = try OneDNNBackend(.compiled, threads: 2).planDescription(of: graph)
    let steps = plan.split(separator: "\n").filter { $0.contains(" by winograd") }
    #expect(steps.count == 2, "\(plan)")
    #expect(steps.last?.contains("convolution+sum+relu(") == true)
    try expectReferenceResults(
      graph, seed: seed, within: Tolerance(relative: 1e-4, absolute: 1e-4))
  }

  @Test("are left out where results must be exact, in eager runs, and of stride, dilation, groups")
  func exact() throws {
    let layer = try graph([4, 32, 12, 12], outputs: 32, Padding2D(1), .relu)
    func isTiled(_ backend: OneDNNBackend, _ graph: Graph) throws -> Bool {
      try backend.planDescription(of: graph).contains("winograd")
    }
    let tiled = try isTiled(OneDNNBackend(.compiled, threads: 1), layer)
    let exact = try isTiled(OneDNNBackend(.compiled, threads: 1, exact: true), layer)
    let eager = try isTiled(OneDNNBackend(.eager, threads: 1), layer)
    #expect(tiled && !exact && !eager)
    for attributes in [
      Convolution(stride: Size2D(2, 1)), Convolution(dilation: Size2D(1, 2)),
      Convolution(groups: 2),
    ] {
      let other = try trace { scope in
        let x = scope.argument("x", .float32, [4, 64, 12, 12])
        let filter = scope.parameter("w", [64, 64 / attributes.groups, 3, 3], .heNormal)
        return ["y": try convolution(x, filter, attributes)]
      }
      let otherIsTiled = try isTiled(OneDNNBackend(.compiled, threads: 1), other)
      #expect(!otherIsTiled, "\(attributes)")
    }
  }

  @Test("give the same bits with any number of threads, from filters that are shared")
  func threads() throws {
    let seed = UInt64.random(in: 0 ... .max)
    let graph = try graph([3, 40, 13, 10], outputs: 24, Padding2D(1), .relu)
    var store = ParameterStore()
    let values = randomInputs(graph, seed: seed)
    for ((input, _), value) in zip(graph.inputs, values) {
      if let path = input.path { store[path] = value }
    }
    let parameters = PreparedParameters(store)
    let images = try #require(zip(graph.inputs, values).first { $0.0.input.path == nil }?.1)
    var first: (floats: [Float], forms: [String: Int])?
    for threads in [1, 2, 3, 5] {
      let program = try OneDNNBackend(.compiled, threads: threads).compile(graph, parameters)
      let floats = try program.makeExecution().run([images])[0].floats
      let forms = OneDNNBackend.preparedForms(of: program).filter { $0.key.contains("winograd") }
      #expect(forms.count == 2, "seed \(seed)")
      if let first { #expect(floats == first.floats && forms == first.forms, "seed \(seed)") }
      first = first ?? (floats, forms)
    }
  }
}
