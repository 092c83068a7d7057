import ApusIR

extension Graph {
  /// The same function with double precision in place of `float32`, where no rounding is large enough
  /// to turn a rectifier on or off.
  public func inFloat64() throws(GraphError) -> Graph {
    func wide(_ type: TensorType) -> TensorType {
      type.dtype == .float32 ? TensorType(.float64, type.shape) : type
    }
    return try rewritten { (graph, node, operands) throws(GraphError) in
      let op: Op =
        switch node.op {
        case .input(let input):
          .input(Input(input.role, wide(input.type), initializer: input.initializer))
        case .constant(let constant): .constant(Constant(wide(constant.type), constant.values))
        case .iota(let iota): .iota(Iota(wide(iota.type), axis: iota.axis))
        case .convert(.float32): .convert(.float64)
        default: node.op
        }
      return try graph.append(op, operands, path: node.path)
    }
  }
}
