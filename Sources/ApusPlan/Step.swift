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
  }

  public var kind: Kind
  public var operands: [Operand]
  public var results: [Operand]
  /// Done to the result before it is written, in this order; their operands come last.
  public var postOps: [PostOp]
  public var algorithm = Algorithm.library
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

  /// How many of the operands, the last ones, only post-ops read.
  public var postOperandCount: Int {
    postOps.count { if case .activation = $0 { false } else { true } }
  }

  /// The kernel's name in printed plans and profiles.
  public var name: String {
    let name =
      switch kind {
      case .op(let op): op.name
      case .reorder: "reorder"
      }
    return ([name] + postOps.map(\.name)).joined(separator: "+")
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
