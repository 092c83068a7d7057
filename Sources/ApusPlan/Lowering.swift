import ApusIR

/// The state of turning a graph's nodes into steps, in order.
///
/// Each family of ops has its rules in a file of its own under `Steps/`.
struct Lowering {
  let graph: Graph
  let mode: Planner.Mode
  let library: any KernelLibrary
  /// The layout of images in which a step with free choice leaves them.
  let imageLayout: Layout
  var plan = Plan()
  /// Where each value that has been computed lies.
  var places: [Value: Operand] = [:]
  /// Values that are a broadcast of something smaller, not computed unless a step needs it.
  var broadcasts: [Value: (source: Operand, node: Node)] = [:]
  /// Products with a factor for each image and channel, which only the convolution that reads them
  /// computes.
  var scaled: [Value: (image: Operand, factors: Operand)] = [:]
  /// 1×1 convolutions that only the depthwise ones which read them compute.
  var expanded: [Value: Expansion] = [:]
  /// Products of images, which only the sum over their pixels computes.
  var products: [Value: (Operand, Operand)] = [:]
  /// The means over the pixels of values, where their kernels make them too.
  var means: [Value: Operand] = [:]
  /// The sums of each channel of a convolution's gradients, which the kernel of the filters' gradient
  /// makes too: the gradient of the bias.
  var channelSums: [Value: Operand] = [:]
  /// Gradients of activations that the gradient of the norm before them computes itself: of what, and
  /// the norm's offset.
  var activatedNorms: [Value: (activation: Activation, gradient: Value, offset: Value)] = [:]
  var reordered: [Operand: [Layout: Operand]] = [:]
  /// The nodes that read each value; an output of the graph counts as the node after the last.
  let readers: [[Int]]
  /// Nodes that became part of an earlier step.
  var absorbed: Set<Int> = []
  /// Names what a static buffer holds, for sharing between programs; `nil` for other buffers.
  private var keys: [String?] = []
  private let updated: Set<String>

  init(_ graph: Graph, _ mode: Planner.Mode, _ library: any KernelLibrary, images: Layout) {
    imageLayout = images
    self.graph = graph
    self.mode = mode
    self.library = library
    var readers = [[Int]](repeating: [], count: graph.types.count)
    for (index, node) in graph.nodes.enumerated() {
      for operand in node.operands { readers[operand.index].append(index) }
    }
    for output in graph.outputs { readers[output.value.index].append(graph.nodes.count) }
    self.readers = readers
    updated = graph.updatedPaths
  }

  mutating func lower(_ node: Node, at index: Int) throws(PlanError) {
    if absorbed.contains(index) { return }
    switch node.op {
    case .input(let input): lowerInput(input, node)
    case .constant(let constant): lowerConstant(constant, node)
    case .iota: try lowerRowMajor(node)
    case .unary, .binary, .compare, .select, .convert: try lowerElementwise(node, at: index)
    case .activation: try lowerElementwise(node, at: index)
    case .activationGradient: try lowerInPlaceOfLayout(node)
    case .reshape: try lowerReshape(node)
    case .transpose: try lowerRowMajor(node)
    case .broadcast(let broadcast): try lowerBroadcast(broadcast, node)
    case .slice, .pad: try lowerRowMajor(node)
    case .concatenate: try lowerConcatenate(node)
    case .barrier: try lowerBarrier(node)
    case .reduce(let reduce): try lowerReduce(reduce, node)
    case .argMax: try lowerRowMajor(node)
    case .dot: try lowerDot(node, at: index)
    case .convolution: try lowerConvolution(node, at: index)
    case .pool, .localResponseNorm: try lowerInPlaceOfLayout(node)
    case .batchNorm: try lowerBatchNorm(node, at: index)
    case .convolutionInputGradient: try lowerConvolutionInputGradient(node)
    case .convolutionFilterGradient: try lowerConvolutionFilterGradient(node)
    case .poolGradient(let gradient):
      try lowerInPlaceOfLayout(node, joinsChannels: gradient.readsImages)
    case .batchNormTraining: try lowerBatchNormTraining(node)
    case .batchNormGradient: try lowerBatchNormGradient(node)
    case .localResponseNormGradient: try lowerInPlaceOfLayout(node)
    case .activatedBatchNorm, .activatedBatchNormGradient:
      try lowerInPlaceOfLayout(node, joinsChannels: true)
    }
  }
}

// MARK: - Values

extension Lowering {
  /// Records where a value lies.
  mutating func place(_ value: Value, _ operand: Operand) { places[value] = operand }

  /// Records that a value is a broadcast of `source`, a view with unit extents.
  mutating func place(_ value: Value, broadcastOf source: Operand, by node: Node) {
    broadcasts[value] = (source, node)
  }

  /// A value as it lies, materialised where it was only a broadcast.
  mutating func operand(_ value: Value) throws(PlanError) -> Operand {
    if let operand = places[value] { return operand }
    guard let (source, node) = broadcasts[value] else {
      preconditionFailure("\(value) is read before it is made")
    }
    let result = emit(
      Step(.op(node.op), [source], [newOperand(graph[value], .rowMajor)], path: node.path))
    places[value] = result
    return result
  }

  /// A value in a layout, reordered where it lies in another; a kernel makes a broadcast in any.
  mutating func operand(_ value: Value, in layout: Layout) throws(PlanError) -> Operand {
    if places[value] == nil, let (source, node) = broadcasts[value],
      library.hasKernel(for: node.op, on: [source.type])
    {
      places[value] = emit(
        Step(.op(node.op), [source], [newOperand(graph[value], layout)], path: node.path))
    }
    return reorder(try operand(value), to: layout)
  }

  /// A value as a binary op may read it: with unit extents where it is a broadcast.
  func broadcastSource(_ value: Value) -> Operand? { broadcasts[value]?.source }

  mutating func reorder(_ operand: Operand, to layout: Layout, path: String = "") -> Operand {
    if operand.layout == layout { return operand }
    if layout == .rowMajor && operand.layout.isRowMajor(for: operand.type.shape)
      || operand.layout == .rowMajor && operand.type.rank == 4
        && layout.isRowMajor(for: operand.type.shape)
    {
      return Operand(buffer: operand.buffer, type: operand.type, layout: layout)
    }
    if let known = reordered[operand]?[layout] { return known }
    let result = emit(
      Step(.reorder, [operand], [newOperand(operand.type, layout)], path: path))
    reordered[operand, default: [:]][layout] = result
    return result
  }
}

// MARK: - Steps

extension Lowering {
  /// A new buffer, seen as a tensor.
  mutating func newOperand(_ type: TensorType, _ layout: Layout) -> Operand {
    newOperand(type, layout, .allocated, key: nil)
  }

  mutating func newOperand(
    _ type: TensorType, _ layout: Layout, _ place: Plan.Place, key: String?
  ) -> Operand {
    let operand = Operand(buffer: plan.buffers.count, type: type, layout: layout)
    plan.buffers.append(Plan.Buffer(sizeInBytes: operand.sizeInBytes, place: place))
    keys.append(key)
    return operand
  }

  /// Adds a step to the run, or to the preparation where it depends on parameters alone, and
  /// returns its first result. Eager execution prepares only other layouts of parameters.
  @discardableResult
  mutating func emit(_ step: Step) -> Operand {
    for result in step.results {
      plan.buffers[result.buffer].sizeInBytes = max(
        plan.buffers[result.buffer].sizeInBytes, result.sizeInBytes)
    }
    let operandKeys = step.operands.map { keys[$0.buffer] }
    if operandKeys.allSatisfy({ $0 != nil }) && (mode == .compiled || step.kind == .reorder) {
      for (index, result) in step.results.enumerated() {
        let key = preparationKey(step, operandKeys.compactMap { $0 }, result: index)
        keys[result.buffer] = key
        plan.buffers[result.buffer].place = .prepared(key)
      }
      plan.preparation.append(step)
    } else {
      plan.steps.append(step)
    }
    return step.results[0]
  }

  private func preparationKey(_ step: Step, _ operands: [String], result: Int) -> String {
    let kind =
      switch step.kind {
      case .op(let op): "\(op.name){\(op.attributes)}"
      case .reorder: "reorder"
      case .elements(let program): "\(program)"
      }
    let postOps = step.postOps.isEmpty ? "" : "\(step.postOps)"
    let views = zip(operands, step.operands).map { "\($0):\($1.layout)\($1.type.shape)" }
    return "\(kind)\(postOps)(\(views.joined(separator: ",")))"
      + ".\(result):\(step.results[result].layout)\(step.results[result].type)"
  }

  /// A step of the node on row-major tensors.
  mutating func lowerRowMajor(_ node: Node) throws(PlanError) {
    var operands: [Operand] = []
    for value in node.operands { operands.append(try operand(value, in: .rowMajor)) }
    var results: [Operand] = []
    for value in node.results { results.append(newOperand(graph[value], .rowMajor)) }
    emit(Step(.op(node.op), operands, results, path: node.path))
    for (value, result) in zip(node.results, results) { place(value, result) }
  }

  func isStatic(_ operand: Operand) -> Bool { keys[operand.buffer] != nil }

  func isUpdated(_ path: String) -> Bool { updated.contains(path) }
}
