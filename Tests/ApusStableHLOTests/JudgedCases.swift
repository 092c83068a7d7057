import ApusIR
import ApusModels
import ApusRuntime
import ApusStableHLO
import ApusTensor
import ApusTestSupport
import Testing

extension JudgedCase {
  /// What the judge is asked, by subject. Every run draws new numbers and orders.
  enum Subject: String, CaseIterable, Sendable {
    case opCases, orders, narrow, special, random, nodes, networks, updates

    func cases() throws -> [JudgedCase] {
      switch self {
      case .opCases: try OpCase.all.map { try judged($0) }
      case .orders: try third.map { try judged($0, shufflesOrders: true) }
      case .narrow: try third.compactMap { try $0.narrowed().map { try judged($0) } }
      case .special: try specialCases()
      case .random: try (0..<24).map { _ in try randomGraph() }
      case .nodes: try (0..<2).flatMap { _ in try nodesOfRandomGraph() }
      case .networks: try reducedNetworks()
      case .updates: [try trainingStep()]
      }
    }
  }
}

/// Every third row on average, others in every run.
private var third: [OpCase] { OpCase.all.filter { _ in Int.random(in: 0..<3) == 0 } }

private func judged(_ row: OpCase, shufflesOrders: Bool = false) throws -> JudgedCase {
  let seed = UInt64.random(in: 0 ... .max)
  let graph = try row.graph()
  // XLA flushes subnormal numbers to zero.
  let tolerance = Tolerance(
    relative: row.tolerance.relative, absolute: max(row.tolerance.absolute, 1.2e-38))
  return try JudgedCase(
    "\(row.name), seed \(seed)", graph, row.inputs(seed: seed), tolerance,
    inputOrders: shufflesOrders ? shuffledOrders(graph.inputs.map(\.input.type)) : nil,
    outputOrders: shufflesOrders ? shuffledOrders(graph.outputs.map { graph[$0.value] }) : nil)
}

private func shuffledOrders(_ types: [TensorType]) -> [[Int]?] {
  types.map { Bool.random() ? $0.shape.indices.shuffled() : nil }
}

extension OpCase {
  /// The same on numbers of 16 bits, where the op takes them.
  fileprivate func narrowed() -> OpCase? {
    switch op {
    case .input, .constant, .iota, .convert: return nil
    default: break
    }
    let types = Set(operands.map(\.type.dtype).filter(\.isFloatingPoint))
    guard types == [.float32] else { return nil }
    let dtype = [DType.bfloat16, .float16].randomElement() ?? .bfloat16
    let narrow = operands.map { operand in
      operand.type.dtype == .float32
        ? OperandSpec(TensorType(dtype, operand.type.shape), operand.values) : operand
    }
    let rounding = dtype == .float16 ? Tolerance.float16 : .bfloat16
    return OpCase(
      "\(name) on \(dtype)", op, narrow, tolerance == .exact ? .exact : rounding)
  }
}

private func randomGraph() throws -> JudgedCase {
  let seed = UInt64.random(in: 0 ... .max)
  let random = try RandomGraph(seed: seed)
  return try JudgedCase(
    "graph \(seed)", random.graph, random.inputs(),
    Tolerance(relative: 1e-4, absolute: 1e-4),
    inputOrders: shuffledOrders(random.graph.inputs.map(\.input.type)),
    outputOrders: shuffledOrders(random.graph.outputs.map { random.graph[$0.value] }))
}

/// Each node of a graph by itself, on what the reference gives for its operands.
private func nodesOfRandomGraph() throws -> [JudgedCase] {
  let seed = UInt64.random(in: 0 ... .max)
  let random = try RandomGraph(seed: seed)
  let graph = random.graph
  var everything = graph
  for index in graph.types.indices { everything.output(.result("v\(index)"), Value(index)) }
  let values = try everything.evaluate(random.inputs()).suffix(graph.types.count)
  func value(_ value: Value) -> HostTensor { values[values.startIndex + value.index] }
  return try Emitter().nodeModules(of: graph).map { entry in
    let node = graph.nodes[entry.node]
    return JudgedCase(
      "node \(entry.node) of graph \(seed)", entry.module, node.operands.map(value),
      node.results.map(value), Tolerance(relative: 1e-5, absolute: 1e-5))
  }
}

/// One network of each way of building, on the smallest images that say something.
private func reducedNetworks() throws -> [JudgedCase] {
  let sizes = [
    "resnet18": 33, "squeezenet1_1": 33, "efficientnet_b0": 33, "inception_v3": 75,
    "seresnext50_32x4d": 33, "lenet": 28, "alexnet": 64,
  ]
  return try sizes.sorted { $0.key < $1.key }.map { name, size in
    let model = try #require(Catalogue.zoo[name])
    let channels = model.input.channels
    let graph = try model.graph(
      images: [1, channels, size, size], NetworkOptions(classes: 10))
    let images = HashedWeights.images(batch: 1, size: size)
    let inputs = graph.inputs.map { input, _ in
      input.path.map { HashedWeights.tensor(path: $0, shape: input.type.shape) }
        ?? HostTensor(input.type.shape, Array(images.floats.prefix(channels * size * size)))
    }
    return try JudgedCase(name, graph, inputs, Tolerance(relative: 1e-4, absolute: 1e-6))
  }
}

/// Parameters that are given back changed, one of them a filter.
func trainingGraph() throws -> Graph {
  try trace(training: true) { scope in
    let x = scope.argument("x", .float32, [2, 3, 6, 6])
    let filter = scope.parameter("filter", [4, 3, 3, 3], .heNormal)
    let mean = scope.state("mean", [4], .zeros)
    let y = try convolution(x, filter, Convolution(padding: Padding2D(1)))
    scope.update("filter", try filter * 0.9 + 0.01)
    scope.update("mean", try mean * 0.9 + y.mean(0, 2, 3) * 0.1)
    return ["y": y]
  }
}

private func trainingStep() throws -> JudgedCase {
  let graph = try trainingGraph()
  var random = RandomTensors(seed: .random(in: 0 ... .max))
  let inputs = graph.inputs.map { input, _ in random.tensor(input.type.shape) }
  return try JudgedCase("step", graph, inputs, .accumulation)
}
