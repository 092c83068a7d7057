import ApusIR

/// A tensor that a step reads or writes: a buffer, seen as a type in a layout.
public struct Operand: Hashable, Sendable {
  /// Index into ``Plan/buffers``.
  public var buffer: Int
  /// Where in the buffer it starts, in bytes.
  public var offset = 0
  public var type: TensorType
  public var layout: Layout

  public init(buffer: Int, type: TensorType, layout: Layout) {
    self.buffer = buffer
    self.type = type
    self.layout = layout
  }

  public var sizeInBytes: Int { layout.sizeInBytes(of: type) }

  /// The buffer, and where in it, in printed plans.
  var place: String { offset == 0 ? "#\(buffer)" : "#\(buffer)+\(offset)" }
}

/// One call of a kernel.
public struct Step: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// An op of the graph. Operands of a binary op may have unit extents where they broadcast.
    case op(Op)
    /// The same tensor in another layout.
    case reorder
    /// Ops on tensors of one size.
    case elements(ElementProgram)
  }

  public var kind: Kind
  public var operands: [Operand]
  public var results: [Operand]
  /// Done to the result before it is written, in this order; their operands come last.
  public var postOps: [PostOp]
  public var algorithm = Algorithm.library
  /// Whether the last operand, `[n, c]`, multiplies each channel of each image first.
  public var isScaled = false
  /// The activation that a batch norm's gradient goes through first; the last operand is then the
  /// norm's offset.
  public var activation: Activation?
  /// The layer the step belongs to.
  public var path: String

  public init(
    _ kind: Kind, _ operands: [Operand], _ results: [Operand], postOps: [PostOp] = [],
    path: String
  ) {
    self.kind = kind
    self.operands = operands
    self.results = results
    self.postOps = postOps
    self.path = path
  }

  /// How many of the operands, the last ones, are not the op's own.
  public var addedOperandCount: Int {
    postOps.reduce(isScaled ? 1 : 0) { $0 + $1.operandCount }
  }

  /// Whether a convolution's second result is the mean of each channel of the first.
  public var isAveraged: Bool {
    if case .op(.convolution) = kind { results.count == 2 } else { false }
  }

  /// Whether a convolution has a bias.
  public var hasBias: Bool { operands.count - addedOperandCount == 3 }

  /// Whether the result is added to what lies in its place.
  public var accumulates: Bool {
    postOps.contains { if case .accumulate = $0 { true } else { false } }
  }

  /// The depthwise convolution that a 1×1 one goes on with, if it does.
  public var depthwise: (convolution: Convolution, filter: Int, bias: Int?)? {
    for case .depthwise(let convolution, let filter, let bias) in postOps {
      return (convolution, filter, bias)
    }
    return nil
  }

  /// The kernel's name in printed plans and profiles.
  public var name: String {
    let name =
      switch kind {
      case .op(let op): op.name
      case .reorder: "reorder"
      case .elements(let program): program.name
      }
    let before = (isScaled ? ["scale"] : []) + (activation.map { ["\($0.name)Gradient"] } ?? [])
    return (before + [name] + postOps.map(\.name)).joined(separator: "+")
      + (isAveraged ? "+mean" : "")
  }
}

extension Step: CustomStringConvertible {
  public var description: String {
    func list(_ operands: [Operand]) -> String {
      operands.map { "\($0.place) \($0.layout) \($0.type)" }.joined(separator: ", ")
    }
    return "\(list(results)) = \(name)(\(list(operands)))"
      + (algorithm == .library ? "" : " by \(algorithm)") + (path.isEmpty ? "" : " @\(path)")
  }
}
