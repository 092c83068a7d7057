import ApusIR
import ApusRuntime

/// Small graphs of random ops on images `x` `[2, 4, 6, 5]` and a few parameters, reproducible by
/// their seed: continuous functions only, so that rounding cannot flip a result.
public struct RandomGraph: Sendable {
  public private(set) var graph = Graph()
  private var random: SplitMix64
  /// Values that later nodes may read.
  private var pool: [Value] = []

  /// - Parameter nodes: how many ops are tried; those whose constraints do not hold are left out.
  public init(seed: UInt64, nodes: Int = 14) throws(GraphError) {
    random = SplitMix64(seed: seed)
    pool = try graph.append(.input(Input(.argument("x"), TensorType(.float32, [2, 4, 6, 5]))))
    for _ in 0..<nodes { try grow() }
    let count = Int.random(in: 1...3, using: &random)
    for (index, value) in ([pool[pool.count - 1]] + pool.shuffled(using: &random)).prefix(count)
      .enumerated()
    {
      graph.output(.result("y\(index)"), value)
    }
  }

  /// Values for the argument and the parameters; variances are positive.
  public func inputs() -> [HostTensor] {
    var tensors = RandomTensors(seed: random.seedOfValues)
    return graph.inputs.map { input, _ in
      let isVariance = input.name.hasSuffix("variance")
      return tensors.tensor(input.type.shape, in: isVariance ? 0.5...2 : -1...1)
    }
  }

  private mutating func grow() throws(GraphError) {
    let x = pool.randomElement(using: &random) ?? Value(0)
    let added: [Value]
    switch Int.random(in: 0..<13, using: &random) {
    case 0: added = try unary(x)
    case 1: added = try binary(x)
    case 2, 3: added = try perChannel(x)
    case 4: added = try identity(x)
    case 5: added = try arranging(x)
    case 6, 7, 8: added = try convolution(x)
    case 9: added = try pooling(x)
    case 10: added = try graph.append(.barrier, [x, pool[0]])
    case 11: added = try repetition()
    default: added = try reduction(x)
    }
    pool += added
  }

  private mutating func unary(_ x: Value) throws(GraphError) -> [Value] {
    let ops: [Op] = [
      .unary(.tanh), .unary(.abs), .unary(.negate), .activation(.relu), .activation(.swish),
      .activation(.hardSigmoid), .activation(.leakyRelu(slope: 0.1)), .activation(.relu6),
    ]
    return try graph.append(ops.randomElement(using: &random) ?? .unary(.tanh), [x])
  }

  private mutating func binary(_ x: Value) throws(GraphError) -> [Value] {
    let same = pool.filter { graph[$0] == graph[x] }
    let ops: [Binary] = [.add, .subtract, .maximum, .minimum, .multiply]
    let op = ops.randomElement(using: &random) ?? .add
    let result = try graph.append(.binary(op), [x, same.randomElement(using: &random) ?? x])
    // Products of products would leave the range of numbers.
    return op == .multiply ? try graph.append(.unary(.tanh), result) : result
  }

  /// A parameter of one value per channel, on either side of a binary op.
  private mutating func perChannel(_ x: Value) throws(GraphError) -> [Value] {
    let type = graph[x]
    guard type.rank == 4 else { return [] }
    let vector = try parameter("vector", [type.shape[1]])
    let whole = try graph.append(
      .broadcast(Broadcast(to: type.shape, axes: [1])), [vector])[0]
    let order = Bool.random(using: &random) ? [x, whole] : [whole, x]
    return try graph.append(.binary(.add), order)
      + (Bool.random(using: &random) ? [whole] : [])
  }

  private mutating func identity(_ x: Value) throws(GraphError) -> [Value] {
    let shape = graph[x].shape
    let zeros = shape.map { _ in 0 }
    let ops: [Op] = [
      .reshape(shape), .convert(.float32), .transpose(Transpose(Array(shape.indices))),
      .broadcast(Broadcast(to: shape, axes: Array(shape.indices))),
      .slice(Slice(starts: zeros, ends: shape.extents)), .pad(Pad(low: zeros, high: zeros)),
      .concatenate(Concatenate(axis: 0)), .reduce(Reduce(.sum, axes: [])),
    ]
    return try graph.append(ops.randomElement(using: &random) ?? .reshape(shape), [x])
  }

  private mutating func arranging(_ x: Value) throws(GraphError) -> [Value] {
    let shape = graph[x].shape
    let ops: [Op] = [
      .reshape([shape[0], shape.dropFirst().reduce(1, *)]),
      .transpose(Transpose(Array(shape.indices.reversed()))),
      .slice(Slice(starts: shape.map { _ in 0 }, ends: shape.map { ($0 + 1) / 2 })),
      .pad(Pad(low: shape.map { _ in 0 }, high: shape.map { _ in 1 }, value: 0.5)),
      .concatenate(Concatenate(axis: shape.rank - 1)),
    ]
    let op = ops.randomElement(using: &random) ?? .reshape(shape)
    if case .concatenate = op { return try graph.append(op, [x, x]) }
    return try graph.append(op, [x])
  }

  /// A convolution, often with a batch norm and an activation after it.
  private mutating func convolution(_ x: Value) throws(GraphError) -> [Value] {
    let type = graph[x]
    guard type.rank == 4, type.shape[1] <= 64, type.elementCount <= 20_000 else { return [] }
    let channels = type.shape[1]
    let groups = [1, channels].randomElement(using: &random) ?? 1
    let outputs = groups == 1 ? [3, 8, 16, 20].randomElement(using: &random) ?? 8 : channels
    let filter = try parameter("filter", [outputs, channels / groups, 3, 3])
    var operands = [x, filter]
    if Bool.random(using: &random) { operands.append(try parameter("bias", [outputs])) }
    let made = try graph.append(
      .convolution(Convolution(padding: Padding2D(1), groups: groups)), operands)
    let kept = Int.random(in: 0..<4, using: &random) == 0 ? made : []
    guard Int.random(in: 0..<3, using: &random) > 0 else { return made }
    var norm = made
    for name in ["scale", "offset", "mean", "variance"] {
      norm.append(try parameter(name, [outputs]))
    }
    let normed = try graph.append(.batchNorm(BatchNorm(epsilon: 1e-3)), norm)
    return kept + (try graph.append(.activation(.relu), normed))
  }

  private mutating func pooling(_ x: Value) throws(GraphError) -> [Value] {
    let type = graph[x]
    guard type.rank == 4, type.shape[2] >= 2, type.shape[3] >= 2 else { return [] }
    let kinds: [Pool.Kind] = [
      .max, .average(countsPadding: true), .average(countsPadding: false),
    ]
    return try graph.append(
      .pool(
        Pool(
          kinds.randomElement(using: &random) ?? .max, kernel: Size2D(2), stride: Size2D(2),
          padding: Padding2D(Int.random(in: 0...1, using: &random)))), [x])
  }

  private mutating func reduction(_ x: Value) throws(GraphError) -> [Value] {
    guard graph[x].rank == 4 else { return [] }
    let axes = [[2, 3], [1], [0, 2, 3]].randomElement(using: &random) ?? [2, 3]
    let folded = try graph.append(.reduce(Reduce(.mean, axes: axes)), [x])
    guard axes == [2, 3] else { return folded }
    let weight = try parameter("weight", [5, graph[x].shape[1]])
    return try graph.append(.dot(Dot(transposesRight: true)), folded + [weight])
  }

  /// An earlier node once more, for passes to merge.
  private mutating func repetition() throws(GraphError) -> [Value] {
    let nodes = graph.nodes.filter { node in
      if case .input = node.op { false } else { true }
    }
    guard let node = nodes.randomElement(using: &random) else { return [] }
    return try graph.append(node.op, node.operands)
  }

  private mutating func parameter(_ name: String, _ shape: Shape) throws(GraphError) -> Value {
    let path = "p\(graph.nodes.count).\(name)"
    return try graph.append(.input(Input(.parameter(path), TensorType(.float32, shape))))[0]
  }
}

extension SplitMix64 {
  /// A seed that does not change the generator.
  fileprivate var seedOfValues: UInt64 {
    var copy = self
    return copy.next()
  }
}
