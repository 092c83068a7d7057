import ApusIR
import ApusOneDNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Comparisons, choices and conversions")
struct MixedElementTests {
  static let shapes: [Shape] = [[1], [7], [3, 5, 3, 3], [1001, 3]]

  /// Random numbers, and among them those that are hard to round, too large, or none.
  private func numbers(_ shape: Shape) -> HostTensor {
    let hard: [Float] = [
      .nan, .infinity, -.infinity, 0, -0.0, 65504, 65519.996, 65520, -1e9, 6e-8, 0x1p-25, 0x1p-133,
      1 + 0x1p-11, 1 + 0x3p-11, 1 + 0x1p-8, 1 + 0x3p-8, 3.4e38, -.greatestFiniteMagnitude,
    ]
    let values = (0..<shape.elementCount).map { _ in
      Bool.random() ? Float.random(in: -2...2) : hard.randomElement() ?? 0
    }
    return HostTensor(shape, values)
  }

  /// Requires the results of the reference, to the bit but for NaNs, in both modes, and that it runs
  /// no step itself.
  private func expectReferenceResults(
    _ shape: Shape, _ results: (_ x: Tensor, _ y: Tensor) throws -> [Tensor],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var tensors: [Tensor] = []
    var graph = try trace { scope in
      let x = scope.argument("x", .float32, shape)
      let y = scope.argument("y", .float32, shape)
      tensors = try results(x, y)
      return [:]
    }
    for (index, tensor) in tensors.enumerated() {
      graph.output(.result("\(index)"), tensor.value)
    }
    let values = [numbers(shape), numbers(shape)]
    let expected = try graph.evaluate(values)
    for mode in modes {
      let backend = OneDNNBackend(mode, threads: 2)
      let (program, inputs) = try compile(graph, values, backend)
      let got = try program.makeExecution().run(inputs)
      for (got, expected) in zip(got, expected) {
        let wrong = difference(got, from: expected, within: .exact)
        #expect(wrong == nil, "\(mode)", sourceLocation: sourceLocation)
      }
      let steps = try backend.profiler(for: graph, PreparedParameters(ParameterStore())).steps
      #expect(
        steps.allSatisfy { $0.implementation != "reference" },
        "\(mode): \(steps.map { ($0.name, $0.implementation) })", sourceLocation: sourceLocation)
    }
  }

  @Test(
    "to and from narrower types are the reference's", arguments: shapes,
    [DType.float16, .bfloat16, .bool])
  func conversions(shape: Shape, dtype: DType) throws {
    try expectReferenceResults(shape) { x, y in
      let narrow = try x.converted(to: dtype)
      let other = try y.converted(to: .bfloat16).converted(to: dtype)
      return [narrow, try narrow.converted(to: .float32), other]
    }
  }

  @Test("of numbers, NaNs and infinities are the reference's", arguments: shapes)
  func comparisons(shape: Shape) throws {
    try expectReferenceResults(shape) { x, y in
      try Comparison.allCases.map { try x.compared($0, y) }
        + [x.compared(.lessOrEqual, x.filled(with: 0.5)), x.compared(.equal, x)]
    }
  }

  @Test("of narrow numbers too", arguments: shapes, [DType.float16, .bfloat16])
  func narrow(shape: Shape, dtype: DType) throws {
    try expectReferenceResults(shape) { x, y in
      let (a, b) = (try x.converted(to: dtype), try y.converted(to: dtype))
      let condition = try a.compared(.greater, b)
      return [condition, try select(condition, a, b), try select(condition, condition, condition)]
    }
  }

  @Test("join with arithmetic, and read one number for all", arguments: shapes)
  func joined(shape: Shape) throws {
    try expectReferenceResults(shape) { x, y in
      let condition = try x.compared(.less, y)
      let rounded = try (x * 2).converted(to: .float16).converted(to: .float32)
      let chosen = try select(condition, rounded, y.filled(with: 3))
      return [try chosen - y, try (-chosen).converted(to: .bfloat16)]
    }
  }

  @Test("that round images leave them in their layout", arguments: [DType.float16, .bfloat16])
  func images(dtype: DType) throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 20, 7, 5])
      func unit(_ x: Tensor, _ name: String) throws -> Tensor {
        let y = try convolution(
          x, scope.parameter(name, [20, 20, 3, 3], .heNormal), Convolution(padding: Padding2D(1)))
        return try y.converted(to: dtype).converted(to: .float32)
      }
      let y = try unit(unit(x, "a"), "b")
      let z = try unit(y.activated(.relu), "c")
      return ["z": z, "narrow": try z.converted(to: dtype)]
    }
    // A sum in another order may be rounded to the other neighbour.
    let tolerance = dtype == .float16 ? Tolerance.float16 : .bfloat16
    try ApusOneDNNTests.expectReferenceResults(graph, within: tolerance)
    var store = ParameterStore()
    for ((input, _), value) in zip(graph.inputs, randomInputs(graph, seed: 1)) {
      if let path = input.path { store[path] = value }
    }
    let steps = try OneDNNBackend(.compiled, threads: 2)
      .profiler(for: graph, PreparedParameters(store)).steps
    #expect(steps.allSatisfy { $0.implementation != "reference" })
    // Into the first convolution's, and back for the results.
    #expect(steps.count { $0.name == "reorder" } <= 3)
  }

  @Test("of a condition for a whole update are part of the update's step")
  func guarded() throws {
    let shape: Shape = [40, 30]
    let graph = try trace { scope in
      let p = scope.parameter("p", shape, .zeros)
      let v = scope.state("v", shape, .zeros)
      let g = scope.argument("g", .float32, shape)
      // 0, or NaN.
      let notFinite = try (g * 0).sum(0, 1)
      let isGood = try notFinite.compared(.equal, notFinite.filled(with: 0))
      let velocity = try v * 0.9 + g
      let all = try isGood.broadcast(to: shape)
      scope.update("v", try select(all, velocity, v))
      scope.update("p", try select(all, p - velocity * 0.1, p))
      return [:]
    }
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    var store = ParameterStore()
    for path in ["p", "v"] { store[path] = random.tensor(shape) }
    let backend = OneDNNBackend(.compiled, threads: 2)
    let steps = try backend.profiler(for: graph, PreparedParameters(store)).steps
    #expect(steps.filter { $0.results.count == 2 }.count == 1)
    let session = Session(backend, store) { _ in graph }
    let reference = Session(ReferenceBackend(), store) { _ in graph }
    for isBad in [false, true, false] {
      var gradient = random.tensor(shape).floats
      if isBad { gradient[577] = .infinity }
      let before = try session.updatedParameters
      _ = try session.run(["g": HostTensor(shape, gradient)], batch: 1)
      _ = try reference.run(["g": HostTensor(shape, gradient)], batch: 1)
      let (got, expected) = (try session.updatedParameters, try reference.updatedParameters)
      for path in ["p", "v"] {
        let wrong = difference(
          try #require(got[path]), from: try #require(expected[path]), within: .elementwise)
        #expect(wrong == nil, "\(path)")
        let isSame = try #require(got[path]).isIdentical(to: #require(before[path]))
        #expect(isSame == isBad, "\(path)")
      }
    }
  }
}
