import ApusIR
import ApusTensor

// Recomputation (Chen et al. 2016, arXiv 1604.06174, section 4).
extension BackwardPass {
  /// A value as a node's pullback reads it: made again inside a segment.
  func tensor(_ value: Value, readBy index: Int) throws -> Tensor {
    guard let segment = segments.segment(ofNode: index), segments.isRemade(value, in: segment)
    else { return Tensor(builder, value) }
    return try remake(value, in: segment)
  }

  /// Puts a barrier between what a segment keeps, with the gradients that have come to it, and what
  /// follows: nothing is made again before, and nothing can be merged with the forward half.
  func enter(_ segment: Int) throws {
    if kept[segment] != nil { return }
    let values = segments.kept(by: segment)
    let pending = gradients.keys.filter { segments.isMade($0, in: segment) }
      .sorted { $0.index < $1.index }
    let operands = values.map { Tensor(builder, $0) } + pending.compactMap { gradients[$0] }
    let results = try barrier(operands)
    kept[segment] = Dictionary(uniqueKeysWithValues: zip(values, results))
    for (value, gradient) in zip(pending, results.dropFirst(values.count)) {
      gradients[value] = gradient
    }
  }

  private func remake(_ value: Value, in segment: Int) throws -> Tensor {
    if let known = remade[value] { return known }
    let node = segments.maker(of: value)
    let operands = try node.operands.map { operand in
      segments.isRemade(operand, in: segment)
        ? try remake(operand, in: segment)
        : kept[segment]?[operand] ?? Tensor(builder, operand)
    }
    let layer = builder.layer
    defer { builder.layer = layer }
    builder.layer = node.path
    for (result, tensor) in zip(node.results, try builder.append(node.op, operands)) {
      remade[result] = tensor
    }
    return remade[value] ?? Tensor(builder, value)
  }
}
