import ApusIR

extension Graph {
  /// The extent of axis 0 of every input that changes from run to run: the number of images.
  /// `nil` where these extents differ, or where there are no such inputs.
  public var batch: Int? {
    let extents = Set(inputs.filter { $0.input.path == nil }.map { $0.input.type.shape.first })
    return extents.count == 1 ? extents.first ?? nil : nil
  }

  /// The same function of each image for a batch of another size, as tracing it at that size gives.
  ///
  /// - Returns: `nil` unless it is certain that every output has an image's results along axis 0 and
  ///   that these depend on no other image.
  public func rebatched(to batch: Int) -> Graph? {
    guard let current = self.batch, batch >= 1, updatedPaths.isEmpty,
      let live = try? Pass.removeDead.rewrite(self)
    else { return nil }
    var rebatching = Rebatching(live, from: current, to: batch)
    let results = try? live.interpret { (node, operands) throws(NotByImage) in
      try rebatching.append(node, operands)
    }
    guard let results else { return nil }
    for (output, result) in zip(live.outputs, results) {
      guard case .images(let value) = result else { return nil }
      rebatching.graph.output(output.role, value)
    }
    // Of what is alike for all images only one form has readers.
    return try? Pass.removeDead.rewrite(rebatching.graph)
  }
}

/// What a value of the old graph is in the new one.
private enum Rebatched {
  /// No image changes it.
  case fixed(Value)
  /// No image changes it, and its parts along axis 0, as many as images, are alike: as it was, and
  /// with as many parts as the new batch has images.
  case alike(fixed: Value, parts: Value)
  /// Each part along axis 0 depends on one image alone.
  case images(Value)

  var fixed: Value? {
    switch self {
    case .fixed(let value), .alike(let value, _): value
    case .images: nil
    }
  }

  var parts: Value? {
    switch self {
    case .fixed: nil
    case .alike(_, let value), .images(let value): value
    }
  }

  /// The value itself, with another extent only where it is of images.
  var value: Value {
    switch self {
    case .fixed(let value), .alike(let value, _), .images(let value): value
    }
  }
}

/// A node that mixes images, or may do so.
private struct NotByImage: Error {}

private struct Rebatching {
  private let original: Graph
  private let old: Int
  private let new: Int
  var graph = Graph()

  init(_ original: Graph, from old: Int, to new: Int) {
    self.original = original
    self.old = old
    self.new = new
  }

  mutating func append(
    _ node: Node, _ operands: [Rebatched]
  ) throws(NotByImage) -> [Rebatched] {
    let types = node.operands.map { original[$0] }
    switch node.op.handling(of: types, batch: old) {
    case .input(let input):
      let isImages = input.path == nil
      let value = try append(isImages ? node.op.rebatched(to: new) : node.op, [], node)[0]
      return [isImages ? .images(value) : .fixed(value)]
    case .eachByItself:
      let values = try append(node.op, operands.map(\.value), node)
      return zip(values, operands).map { $1.fixed == nil ? .images($0) : .fixed($0) }
    case .byParts(let count):
      return [try appendByParts(node, operands, count)]
    case .alike:
      let fixed = try appendFixed(node, operands)[0]
      let parts = try append(node.op.rebatched(to: new), operands.compactMap(\.fixed), node)[0]
      return [.alike(fixed: fixed, parts: parts)]
    case .whole:
      return try appendFixed(node, operands).map(Rebatched.fixed)
    }
  }

  /// Appends a node that maps parts of its first `count` operands to parts of its result.
  private mutating func appendByParts(
    _ node: Node, _ operands: [Rebatched], _ count: Int
  ) throws(NotByImage) -> Rebatched {
    let parts = operands.prefix(count).compactMap(\.parts)
    let others = operands.dropFirst(count).compactMap(\.fixed)
    let isFixed = operands.allSatisfy { $0.fixed != nil }
    if parts.count == count && parts.count + others.count == operands.count {
      let value = try append(node.op.rebatched(to: new), parts + others, node)[0]
      return isFixed
        ? .alike(fixed: try appendFixed(node, operands)[0], parts: value) : .images(value)
    }
    return .fixed(try appendFixed(node, operands)[0])
  }

  /// Appends a node as it was.
  private mutating func appendFixed(
    _ node: Node, _ operands: [Rebatched]
  ) throws(NotByImage) -> [Value] {
    let values = operands.compactMap(\.fixed)
    guard values.count == operands.count else { throw NotByImage() }
    return try append(node.op, values, node)
  }

  private mutating func append(
    _ op: Op, _ operands: [Value], _ node: Node
  ) throws(NotByImage) -> [Value] {
    do throws(GraphError) {
      return try graph.append(op, operands, path: node.path)
    } catch {
      throw NotByImage()
    }
  }
}

/// How an op treats axis 0 where its extent is the batch.
private enum Handling {
  case input(Input)
  /// Returns each operand.
  case eachByItself
  /// A part of the result depends on that part of the first operands, so many, and on all of the
  /// others.
  case byParts(Int)
  /// All parts of the result are alike.
  case alike
  /// Anything else.
  case whole
}

extension Op {
  fileprivate func handling(of operands: [TensorType], batch: Int) -> Handling {
    switch self {
    case .input(let input): .input(input)
    case .barrier: .eachByItself
    case .constant(let constant):
      constant.splat != nil && constant.type.shape.first == batch ? .alike : .whole
    case .iota(let iota): iota.axis > 0 && iota.type.shape.first == batch ? .alike : .whole
    case .unary, .convert, .activation, .pool, .localResponseNorm: .byParts(1)
    // Filters and statistics are the same for all images.
    case .convolution, .convolutionInputGradient, .batchNorm: .byParts(1)
    case .binary, .compare, .select, .activationGradient, .poolGradient,
      .localResponseNormGradient:
      .byParts(operands.count)
    // Sums over all images.
    case .convolutionFilterGradient, .batchNormTraining, .batchNormGradient, .activatedBatchNorm,
      .activatedBatchNormGradient:
      .whole
    case .reshape(let shape): shape.first == batch ? .byParts(1) : .whole
    case .transpose(let transpose): transpose.permutation.first == 0 ? .byParts(1) : .whole
    case .broadcast(let broadcast): broadcast.handling(of: operands[0].shape, batch: batch)
    case .slice(let slice):
      slice.starts.first == 0 && slice.ends.first == batch && slice.steps.first == 1
        ? .byParts(1) : .whole
    case .pad(let pad):
      [pad.low, pad.high, pad.interior].allSatisfy { $0.first == 0 } ? .byParts(1) : .whole
    case .concatenate(let concatenate):
      concatenate.axis > 0 ? .byParts(operands.count) : .whole
    case .reduce(let reduce): reduce.axes.first == 0 ? .whole : .byParts(1)
    case .argMax(let argMax): argMax.axis == 0 ? .whole : .byParts(1)
    case .dot(let dot):
      // Of matrices only the left one's rows are rows of the result.
      if operands[0].rank > 2 { .byParts(2) } else { dot.transposesLeft ? .whole : .byParts(1) }
    }
  }

  /// The op for another extent of axis 0.
  fileprivate func rebatched(to batch: Int) -> Op {
    func rebatched(_ shape: Shape) -> Shape {
      var shape = shape
      shape[0] = batch
      return shape
    }
    func rebatched(_ type: TensorType) -> TensorType {
      TensorType(type.dtype, rebatched(type.shape))
    }
    switch self {
    case .input(let input):
      return .input(Input(input.role, rebatched(input.type), initializer: input.initializer))
    case .constant(let constant):
      return .constant(Constant(rebatched(constant.type), constant.values))
    case .iota(let iota): return .iota(Iota(rebatched(iota.type), axis: iota.axis))
    case .reshape(let shape): return .reshape(rebatched(shape))
    case .broadcast(let broadcast):
      return .broadcast(Broadcast(to: rebatched(broadcast.shape), axes: broadcast.axes))
    case .slice(let slice):
      return .slice(
        Slice(starts: slice.starts, ends: [batch] + slice.ends.dropFirst(), steps: slice.steps))
    case .unary, .binary, .compare, .select, .convert, .activation, .activationGradient,
      .transpose, .pad, .concatenate, .barrier, .reduce, .argMax, .dot, .convolution,
      .convolutionInputGradient, .convolutionFilterGradient, .pool, .poolGradient, .batchNorm,
      .batchNormTraining, .batchNormGradient, .activatedBatchNorm, .activatedBatchNormGradient,
      .localResponseNorm, .localResponseNormGradient:
      return self
    }
  }
}

extension Broadcast {
  fileprivate func handling(of operand: Shape, batch: Int) -> Handling {
    guard shape.first == batch else { return .whole }
    return axes.first == 0 && operand.first == batch ? .byParts(1) : .alike
  }
}
