import ApusIR

extension Transpose {
  func evaluate(_ x: ReferenceTensor, _ result: TensorType) -> [Double] {
    let strides = x.shape.rowMajorStrides
    return result.shape.offsets(strides: permutation.map { strides[$0] }).map { x.values[$0] }
  }
}

extension Broadcast {
  func evaluate(_ x: ReferenceTensor, _ result: TensorType) -> [Double] {
    var strides = Array(repeating: 0, count: result.rank)
    for (axis, (extent, stride)) in zip(axes, zip(x.shape, x.shape.rowMajorStrides)) {
      strides[axis] = extent == 1 ? 0 : stride
    }
    return result.shape.offsets(strides: strides).map { x.values[$0] }
  }
}

extension Slice {
  func evaluate(_ x: ReferenceTensor, _ result: TensorType) -> [Double] {
    let strides = x.shape.rowMajorStrides
    let start = zip(starts, strides).reduce(0) { $0 + $1.0 * $1.1 }
    return result.shape.offsets(strides: zip(steps, strides).map { $0 * $1 }, from: start)
      .map { x.values[$0] }
  }
}

extension Pad {
  func evaluate(_ x: ReferenceTensor, _ result: TensorType) -> [Double] {
    let strides = result.shape.rowMajorStrides
    let start = zip(low, strides).reduce(0) { $0 + $1.0 * $1.1 }
    let targets = x.shape.offsets(
      strides: zip(interior, strides).map { ($0 + 1) * $1 }, from: start)
    var values = Array(repeating: value, count: result.elementCount)
    for (source, target) in zip(x.values, targets) { values[target] = source }
    return values
  }
}

extension Concatenate {
  func evaluate(_ operands: [ReferenceTensor]) -> [Double] {
    let blocks = operands[0].shape[..<axis].reduce(1, *)
    return (0..<blocks).flatMap { block in
      operands.flatMap { operand in
        let size = operand.values.count / blocks
        return operand.values[block * size..<(block + 1) * size]
      }
    }
  }
}
