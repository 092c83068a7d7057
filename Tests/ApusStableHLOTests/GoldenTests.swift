import ApusIR
import ApusNN
import ApusStableHLO
import ApusTensor
import ApusTestSupport
import Testing

@Suite("The text of")
struct GoldenTests {
  @Test("a convolution with bias, residual sum and activation, which becomes one cuDNN call")
  func residual() throws {
    try expectGolden("residual") { scope in
      let x = scope.argument("x", .float32, [2, 8, 5, 6])
      let filter = scope.parameter("f", [8, 8, 3, 3], .heNormal)
      let bias = scope.parameter("b", [8], .zeros)
      let y = try convolution(x, filter, bias: bias, Convolution(padding: Padding2D(1)))
      return ["y": try relu(y + x)]
    }
  }

  @Test("depthwise convolution and squeeze-excitation in 16 bits")
  func squeezeExcitation() throws {
    try expectGolden("squeeze-excitation") { scope in
      let x = scope.argument("x", .bfloat16, [1, 6, 4, 4])
      let filter = scope.parameter("f", [6, 1, 3, 3], .heNormal, dtype: .bfloat16)
      let y = try convolution(
        x, filter, Convolution(stride: Size2D(2), padding: Padding2D(1), groups: 6)
      ).activated(.swish)
      let scale = try globalAveragePool(y).reshaped(to: [1, 6, 1, 1])
      let gate = scope.parameter("g", [6, 6, 1, 1], .heNormal, dtype: .bfloat16)
      return ["y": try y * convolution(scale, gate, Convolution()).activated(.sigmoid)]
    }
  }

  @Test("poolings whose windows hang over the image")
  func pools() throws {
    try expectGolden("pools") { scope in
      let x = scope.argument("x", .float16, [1, 2, 6, 6])
      return [
        "max": try maxPool(x, kernel: 3, stride: 2, ceilMode: true),
        "mean": try averagePool(
          x, kernel: 3, stride: 2, padding: 1, ceilMode: true, countsPadding: false),
        "all": try averagePool(x, kernel: 6, stride: 1),
      ]
    }
  }

  @Test("a classifier, which flattens images in row-major order")
  func flatten() throws {
    try expectGolden("flatten") { scope in
      let x = scope.argument("x", .float32, [2, 3, 4, 5])
      let weight = scope.parameter("w", [10, 60], .heNormal)
      let bias = scope.parameter("b", [10], .zeros)
      return ["y": try dot(x.flattened(), weight, transposesRight: true) + bias]
    }
  }

  @Test("normalisations")
  func normalization() throws {
    try expectGolden("normalization") { scope in
      let x = scope.argument("x", .float32, [2, 3, 4, 4])
      let norm = try batchNorm(
        x, scale: scope.parameter("s", [3], .ones), offset: scope.parameter("o", [3], .zeros),
        mean: scope.state("m", [3], .zeros), variance: scope.state("v", [3], .ones),
        epsilon: 1e-5)
      return ["y": norm, "z": try localResponseNorm(norm, LocalResponseNorm(size: 3))]
    }
  }

  @Test("gradients: filters mirrored by an op, slices and paddings instead of scattering")
  func gradients() throws {
    let module = try expectGolden(
      "gradients",
      trace { scope in
        let x = scope.argument("x", .float32, [2, 4, 5, 5])
        let filter = scope.parameter("f", [6, 2, 3, 3], .heNormal)
        let pool = Pool(.max, kernel: Size2D(2), stride: Size2D(2), padding: Padding2D(1))
        let attributes = Convolution(stride: Size2D(2), padding: Padding2D(1), groups: 2)
        let y = try convolution(x, filter, attributes)
        let z = try relu(y).maxPoolGradient(pool, relu(y).pooled(pool))
        let g = try relu(y).activationGradient(.relu, z)
        return [
          "dx": try convolutionInputGradient(g, filter, attributes, images: Size2D(5)),
          "df": try convolutionFilterGradient(x, g, attributes, kernel: Size2D(3)),
        ]
      })
    #expect(count("\"stablehlo.reverse\"", in: module.text) == 1)
    #expect(count("array<i1: true", in: module.text) == 0)
    #expect(count("select_and_scatter", in: module.text) == 0)
  }

  @Test("updates, which take the memory of what they replace")
  func updates() throws {
    let module = try expectGolden("updates", trainingGraph())
    #expect(module.outputs.map(\.order) == [[0, 2, 3, 1], [0], [0, 2, 3, 1]])
    // An update in another order than its input is a tensor of its own.
    let rowMajor = [0, 1, 2, 3]
    let other = try Emitter().module(for: trainingGraph(), outputOrders: [rowMajor, nil, nil])
    #expect(count("tf.aliasing_output", in: other.text) == 1)
    let both = try Emitter().module(
      for: trainingGraph(), inputOrders: [nil, rowMajor, nil])
    #expect(both.outputs[0].order == rowMajor)
    #expect(count("tf.aliasing_output", in: both.text) == 2)
  }

  @Test("indices of the largest elements, and conversions that saturate")
  func classes() throws {
    try expectGolden("classes") { scope in
      let x = scope.argument("x", .float32, [2, 5])
      return ["class": try x.argMax(axis: 1), "bytes": try x.converted(to: .uint8)]
    }
  }

  @Test("a shuffle of channels, which moves them once and nothing else")
  func shuffle() throws {
    try expectGolden("shuffle") { scope in
      let x = scope.argument("x", .float32, [2, 6, 4, 4])
      let parts = try x.reshaped(to: [2, 2, 3, 4, 4]).transposed([0, 2, 1, 3, 4])
      return ["y": try relu(parts.reshaped(to: [2, 6, 4, 4]))]
    }
  }
}

private func expectGolden(
  _ name: String, _ body: (Scope) throws -> KeyValuePairs<String, Tensor>
) throws {
  try expectGolden(name, trace(body))
}

@discardableResult
private func expectGolden(_ name: String, _ graph: Graph) throws -> StableHLOModule {
  let module = try Emitter().module(for: graph)
  let failure = try difference(module.text, fromFile: fixture("\(name).mlir"))
  #expect(failure == nil)
  return module
}
