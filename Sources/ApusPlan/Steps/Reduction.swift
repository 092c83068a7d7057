import ApusIR

extension Lowering {
  /// The mean over an image is an average pooling, which works in every layout.
  mutating func lowerReduce(_ reduce: Reduce, _ node: Node) throws(PlanError) {
    let type = graph[node.operands[0]]
    let size = type.rank == 4 ? Size2D(type.shape[2], type.shape[3]) : Size2D(1)
    let pool = Op.pool(Pool(.average(countsPadding: false), kernel: size, stride: Size2D(1)))
    guard reduce.kind == .mean, reduce.axes == [2, 3], type.rank == 4,
      library.hasKernel(for: pool, on: [type])
    else { return try lowerRowMajor(node) }
    let source = try operand(node.operands[0])
    let pooled = TensorType(type.dtype, [type.shape[0], type.shape[1], 1, 1])
    let result = emit(
      Step(.op(pool), [source], [newOperand(pooled, source.layout)], path: node.path))
    let value = node.results[0]
    let plain = reorder(result, to: .rowMajor, path: node.path)
    place(value, Operand(buffer: plain.buffer, type: graph[value], layout: .rowMajor))
  }
}
