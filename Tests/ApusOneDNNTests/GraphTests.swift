import ApusIR
import ApusOneDNN
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Foundation
import Testing

@Suite("Graphs on oneDNN equal the reference")
struct GraphTests {
  @Test("made at random, and again in a second run")
  func random() throws {
    for _ in 0..<60 {
      let seed = UInt64.random(in: 0 ... .max)
      let random = try RandomGraph(seed: seed)
      try expectReferenceResults(
        random.graph, seed: seed, within: Tolerance(relative: 1e-4, absolute: 1e-4))
    }
  }

  private static let activations: [Activation] = [
    .relu, .relu6, .leakyRelu(slope: 0.1), .elu(alpha: 0.7), .sigmoid, .tanh, .hardSigmoid, .swish,
    .hardSwish, .mish,
  ]

  @Test(
    "with every activation fused into a convolution, a product and a sum", arguments: activations)
  func fused(activation: Activation) throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 20, 7, 6])
      let filter = scope.parameter("filter", [12, 20, 3, 3], .heNormal)
      let y = try convolution(
        x, filter, bias: scope.parameter("bias", [12], .zeros), Convolution(padding: Padding2D(1)))
      let a = try y.activated(activation)
      let b = try (a - scope.parameter("v", [12, 1, 1], .ones) * 2).activated(activation)
      let flat = try (a + b).activated(activation).flattened()
      let weight = scope.parameter("weight", [9, 504], .zeros)
      return ["y": try (dot(flat, weight, transposesRight: true) * 0.1).activated(activation)]
    }
    try expectReferenceResults(graph)
    for mode in modes {
      let plan = try OneDNNBackend(mode).planDescription(of: graph)
      #expect(plan.contains("convolution+\(activation.name)") == (mode == .compiled))
      #expect(plan.contains("multiply+\(activation.name)") == (mode == .compiled))
    }
  }

  @Test("with shortcuts that are written over, after copies of them in other layouts were made")
  func shortcuts() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 16, 9, 8])
      func convolve(_ name: String, _ x: Tensor) throws -> Tensor {
        let filter = scope.parameter(name, [16, 16, 3, 3], .heNormal)
        return try convolution(x, filter, Convolution(padding: Padding2D(1)))
      }
      var outputs: [Tensor] = []
      var y = try convolve("stem", x)
      for block in 0..<3 {
        // Reading it transposed needs a row-major copy.
        outputs.append(try y.transposed([0, 1, 3, 2]))
        y = try relu(convolve("a\(block)", tanh(y)) + y)
      }
      return ["y": y, "0": outputs[0], "1": outputs[1], "2": outputs[2]]
    }
    try expectReferenceResults(graph)
    let plan = try OneDNNBackend(.compiled).planDescription(of: graph)
    #expect(plan.components(separatedBy: "convolution+sum+relu").count == 4)
  }

  @Test("with a scale per image and channel, a sum and an activation in one step")
  func squeezeExcitation() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3, 20, 7, 6])
      let filter = scope.parameter("filter", [20, 20, 1, 1], .heNormal)
      let y = try convolution(x, filter, Convolution())
      let z = try convolution(relu(x), filter, Convolution())
      let gate = try sigmoid(y.mean(2, 3)).reshaped(to: [3, 20, 1, 1])
      return ["y": try relu(z * gate.broadcast(to: z.shape) + y)]
    }
    try expectReferenceResults(graph)
    let plan = try OneDNNBackend(.compiled).planDescription(of: graph)
    #expect(plan.contains("multiply+add+relu"))
  }

  @Test("with a bias after a product")
  func linear() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3, 40])
      let weight = scope.parameter("weight", [24, 40], .zeros)
      let bias = scope.parameter("bias", [24], .zeros)
      return ["y": try relu(dot(x, weight, transposesRight: true) + bias)]
    }
    try expectReferenceResults(graph)
    #expect(try OneDNNBackend(.compiled).planDescription(of: graph).contains("dot+add+relu"))
  }

  @Test("directly after a product", arguments: activations)
  func fusedProduct(activation: Activation) throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3, 40])
      let weight = scope.parameter("weight", [24, 40], .zeros)
      return ["y": try dot(x, weight, transposesRight: true).activated(activation)]
    }
    try expectReferenceResults(graph)
    #expect(
      try OneDNNBackend(.compiled).planDescription(of: graph).contains("dot+\(activation.name)"))
  }

  @Test("where an output is read by later steps, or given twice, or an input itself")
  func outputsReadLater() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 16, 5, 5])
      let y = try convolution(x, scope.parameter("f", [16, 16, 3, 3], .zeros), Convolution())
      let z = try relu(y)
      return [
        "x": x, "y": y, "z": z, "again": y, "parameter": scope.parameter("p", [3], .ones),
        "w": try convolution(z, scope.parameter("g", [8, 16, 1, 1], .zeros), Convolution()),
        "constant": try (x * 0).sliced(from: [0, 0, 0, 0], to: [1, 1, 1, 1]) + 3,
      ]
    }
    try expectReferenceResults(graph)
  }

  @Test(
    "in element types that only the reference computes",
    arguments: [DType.float64, .float16, .bfloat16])
  func otherFloats(dtype: DType) throws {
    let graph = try trace { scope in
      let x = scope.argument("x", dtype, [2, 4, 6, 6])
      let filter = scope.parameter("f", [5, 4, 3, 3], .zeros, dtype: dtype)
      let y = try relu(convolution(x, filter, Convolution(padding: Padding2D(1))))
      let mean = try globalAveragePool(maxPool(y, kernel: 2, stride: 2))
      let weight = scope.parameter("w", [5, 3], .zeros, dtype: dtype)
      return ["y": try dot(mean, weight).converted(to: .float32) + 1, "raw": mean]
    }
    // Rounding happens where the reference rounds; folding changes nothing here.
    try expectReferenceResults(graph, within: .exact)
  }

  @Test("in whole numbers and conditions")
  func otherTypes() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3, 7])
      let indices = try (x * 5).argMax(axis: 1)
      let isPositive = try x.compared(.greater, x * 0)
      return [
        "indices": try indices + indices, "mask": isPositive,
        "chosen": try select(isPositive, x, -x),
        "bytes": try (abs(x) * 100).converted(to: .uint8),
      ]
    }
    try expectReferenceResults(graph)
  }

  @Test("where filters differ in channels that blocks pad to the same size")
  func paddedFilters() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 16, 6, 6])
      var sums: [Tensor] = []
      for outputs in [9, 10, 12, 15, 16] {
        let filter = scope.parameter("f\(outputs)", [outputs, 16, 3, 3], .zeros)
        sums.append(try convolution(x, filter, Convolution(padding: Padding2D(1))))
      }
      return ["y": try concatenate(sums), "first": try exp(sums[0]), "last": try exp(sums[3])]
    }
    try expectReferenceResults(graph)
  }

  @Test("where square weights are read plain, transposed and both ways", arguments: [64, 10])
  func squareWeights(size: Int) throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [8, size])
      let a = scope.parameter("a", [size, size], .zeros)
      let b = scope.parameter("b", [size, size], .zeros)
      let y = try dot(dot(x, a, transposesRight: true), b) * 0.1
      return ["y": try dot(dot(y, a), b, transposesRight: true) * 0.1]
    }
    try expectReferenceResults(graph, within: Tolerance(relative: 1e-4))
  }

  @Test("where binary ops broadcast along any axes, of arguments and of parameters")
  func broadcasts() throws {
    for _ in 0..<60 {
      let seed = UInt64.random(in: 0 ... .max)
      var random = SplitMix64(seed: seed)
      let extents = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        Int.random(in: 1...5, using: &random)
      }
      func partial() -> Shape {
        let part = extents.map { Bool.random(using: &random) ? 1 : $0 }
        return Shape(Array(part.dropFirst(Int.random(in: 0...extents.count, using: &random))))
      }
      let (a, b, c) = (partial(), partial(), partial())
      let graph = try trace { scope in
        let x = scope.argument("x", .float32, Shape(extents))
        let (p, q) = (scope.parameter("p", a, .ones), scope.parameter("q", b, .ones))
        let scaled = scope.parameter("whole", Shape(extents), .ones)
        return [
          "right": try relu(x * p), "left": try q - x,
          "argument": try x + scope.argument("c", .float32, c),
          "prepared": try x + tanh(scaled * q), "both": try maximum(p * q, x),
        ]
      }
      try expectReferenceResults(graph, seed: seed, "\(extents), \(a), \(b), \(c)")
    }
  }

  @Test("where a filter is computed, depthwise and grouped", arguments: [1, 2, 16])
  func computedFilters(groups: Int) throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 16, 6, 6])
      let f = scope.parameter("f", [16, 16 / groups, 3, 3], .zeros)
      let given = scope.argument("g", .float32, [16, 16 / groups, 3, 3])
      let attributes = Convolution(padding: Padding2D(1), groups: groups)
      return ["y": try convolution(convolution(x, tanh(f), attributes), relu(given), attributes)]
    }
    try expectReferenceResults(graph)
  }
}
