import ApusIR

/// A value of the graph that is being traced.
public struct Tensor {
  public let value: Value
  public let builder: GraphBuilder

  package init(_ builder: GraphBuilder, _ value: Value) {
    self.builder = builder
    self.value = value
  }

  public var type: TensorType { builder.graph[value] }
  public var shape: Shape { type.shape }
  public var dtype: DType { type.dtype }
  public var rank: Int { shape.rank }

  /// Records an op with one result on tensors of one trace.
  static func record(_ op: Op, _ operands: Tensor...) throws -> Tensor {
    try operands[0].builder.append(op, operands)[0]
  }

  /// A constant of this tensor's element type and trace.
  func constant(_ value: Double, _ shape: Shape = []) throws -> Tensor {
    try builder.append(.constant(Constant(TensorType(dtype, shape), repeating: value)), [])[0]
  }
}
