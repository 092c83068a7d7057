import ApusIR
import ApusModels
import ApusPasses
import ApusStableHLO
import ApusTensor
import ApusTestSupport
import Testing

@Suite("The emitter")
struct EmitterTests {
  /// Networks that flatten images of several pixels before their first matrix product; every other
  /// one averages over the image first, or has one channel.
  static let transposes = [
    "alexnet": 1, "caffenet": 1, "lenet": 1, "vgg11": 1, "vgg13": 1, "vgg16": 1, "vgg16_bn": 1,
    "vgg19": 1,
  ]

  @Test(
    "transposes no image of a network but where it is flattened",
    arguments: Catalogue.zoo.models.map(\.name))
  func networks(name: String) throws {
    let graph = try #require(Catalogue.zoo[name]).graph(batch: 2)
    for graph in [graph, try Passes.inference.run(graph)] {
      let module = try Emitter().module(for: graph)
      #expect(count("\"stablehlo.transpose\"", in: module.text) == Self.transposes[name] ?? 0)
      let convolutions = graph.nodes.count { $0.op.name == "convolution" }
      #expect(count("\"stablehlo.convolution\"", in: module.text) == convolutions)
      #expect(module.inputs.map(\.logical) == graph.inputs.map(\.input.type))
      #expect(module.inputs.allSatisfy { $0 == PhysicalType(standard: $0.logical) })
      #expect(module.outputs == [PhysicalType(standard: graph[graph.outputs[0].value])])
    }
  }

  @Test("writes every row of the case table", arguments: OpCase.all)
  func opCases(row: OpCase) throws {
    let graph = try row.graph()
    let module = try Emitter().module(for: graph)
    #expect(module.inputs.map(\.logical) == graph.inputs.map(\.input.type))
    #expect(module.outputs.map(\.logical) == graph.outputs.map { graph[$0.value] })
  }

  @Test("has images NHWC and filters OHWI, all else row-major")
  func standardOrders() {
    let images = PhysicalType(standard: TensorType(.float32, [8, 3, 224, 192]))
    #expect(images.order == [0, 2, 3, 1])
    #expect(images.physical == TensorType(.float32, [8, 224, 192, 3]))
    #expect(PhysicalType(standard: TensorType(.int32, [])).isRowMajor)
    #expect(PhysicalType(standard: TensorType(.int32, [4, 5, 6])).isRowMajor)
    #expect(PhysicalType(standard: TensorType(.bool, [2, 3, 4, 5, 6])).isRowMajor)
  }

  @Test("gives inputs and outputs the orders asked for, and transposes for them alone")
  func orders() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 3, 8, 8])
      let filter = scope.parameter("f", [4, 3, 3, 3], .heNormal)
      return ["y": try convolution(x, filter, Convolution())]
    }
    let rowMajor = [0, 1, 2, 3]
    let module = try Emitter().module(
      for: graph, inputOrders: [rowMajor, nil], outputOrders: [rowMajor])
    #expect(module.inputs.map(\.order) == [rowMajor, [0, 2, 3, 1]])
    #expect(module.outputs.map(\.order) == [rowMajor])
    #expect(module.text.contains("%arg0: tensor<2x3x8x8xf32>"))
    #expect(count("\"stablehlo.transpose\"", in: module.text) == 2)
  }

  @Test("refuses orders that do not fit")
  func wrongOrders() throws {
    let graph = try trace { scope in
      ["y": try relu(scope.argument("x", .float32, [2, 3]))]
    }
    #expect {
      try Emitter().module(for: graph, inputOrders: [nil, nil])
    } throws: {
      "\($0)" == "StableHLO: there must be one order for each of the graph's 1 inputs, got 2"
    }
    for order in [[0], [0, 2], [1, 1], [0, 1, 2]] {
      #expect {
        try Emitter().module(for: graph, outputOrders: [order])
      } throws: {
        "\($0)" == "StableHLO: outputs[0]: the order must be a permutation of the axes of"
          + " float32[2, 3], got \(order)"
      }
    }
  }

  @Test("asks for exact products of float32 unless TF32 is allowed")
  func precision() throws {
    func text(_ dtype: DType, _ emitter: Emitter) throws -> String {
      let graph = try trace { scope in
        let x = scope.argument("x", dtype, [1, 2, 4, 4])
        let y = try convolution(x, scope.argument("f", dtype, [2, 2, 1, 1]), Convolution())
        return ["y": try dot(y.flattened(), scope.argument("w", dtype, [32, 5]))]
      }
      return try emitter.module(for: graph).text
    }
    #expect(count("HIGHEST, ", in: try text(.float32, Emitter())) == 0)
    #expect(count("precision HIGHEST", in: try text(.float32, Emitter())) == 4)
    #expect(count("precision", in: try text(.float32, Emitter(allowsTF32: true))) == 0)
    for dtype in [DType.bfloat16, .float16, .float64] {
      #expect(count("precision", in: try text(dtype, Emitter())) == 0)
    }
  }

  @Test("gives products and convolutions of 16 bits results of their own type")
  func narrowResults() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .bfloat16, [1, 2, 4, 4])
      let f = scope.argument("f", .bfloat16, [2, 2, 3, 3])
      let y = try relu(convolution(x, f, Convolution(padding: Padding2D(1))))
      let w = scope.argument("w", .bfloat16, [2, 5])
      return ["y": try dot(globalAveragePool(y), w)]
    }
    let text = try Emitter().module(for: graph).text
    let wide = text.split(separator: "\n").filter { $0.contains("f32") }
    // Only the average is formed in 32 bits.
    let ops = ["constant", "convert", "reduce", "add", "return", "divide", "broadcast_in_dim"]
    #expect(
      wide.allSatisfy { line in
        line.contains("^bb0") || line.contains("}) : ")
          || ops.contains { line.contains("\"stablehlo.\($0)\"") }
      })
    #expect(!wide.isEmpty)
  }

  @Test("writes numbers that MLIR reads back exactly")
  func literals() throws {
    let values = [.nan, .infinity, -.infinity, 1e-5, 1e21, 0.1, -0.0, 65520]
    func list(_ dtype: DType) throws -> Substring {
      var graph = Graph()
      let type = TensorType(dtype, [values.count])
      graph.output(.result("y"), try graph.append(.constant(Constant(type, values)))[0])
      let text = try Emitter().module(for: graph).text
      return try #require(text.firstMatch(of: /dense<\[(.*)\]>/)).1
    }
    let decimals = "1.0e-05, 1.0e+21, 0.1, -0.0, 65520.0"
    #expect(try list(.float32) == "0x7FC00000, 0x7F800000, 0xFF800000, \(decimals)")
    #expect(try list(.bfloat16) == "0x7FC0, 0x7F80, 0xFF80, \(decimals)")
    #expect(
      try list(.float16) == "0x7E00, 0x7C00, 0xFC00, 1.0e-05, 0x7C00, 0.1, -0.0, 0x7C00")
    #expect(try list(.int16) == "0, 32767, -32768, 0, 32767, 0, 0, 32767")
    #expect(
      try list(.int64) == "0, 9223372036854775807, -9223372036854775808, 0, 9223372036854775807"
        + ", 0, 0, 65520")
    #expect(try list(.bool) == "true, true, true, true, true, true, false, true")
  }

  @Test("writes equal nodes as equal modules that fit together")
  func nodes() throws {
    let graph = try #require(Catalogue.zoo["resnet18"]).graph(batch: 1, imageSize: 64)
    let modules = try Emitter().nodeModules(of: graph)
    #expect(modules.map(\.node) == graph.nodes.indices.filter { !graph.nodes[$0].operands.isEmpty })
    var types: [Value: PhysicalType] = [:]
    for (input, value) in graph.inputs { types[value] = PhysicalType(standard: input.type) }
    for entry in modules {
      let node = graph.nodes[entry.node]
      #expect(entry.module.inputs == node.operands.map { types[$0] })
      for (result, type) in zip(node.results, entry.module.outputs) { types[result] = type }
    }
    #expect(modules.count == 70)
    #expect(Set(modules.map(\.module.text)).count == 30)
    #expect(modules.allSatisfy { !$0.module.text.contains("layer") })
  }
}

func count(_ part: String, in text: String) -> Int { text.ranges(of: part).count }
