import ApusIR

extension Plan {
  /// Lets steps that work element by element write their result over an operand that nothing reads
  /// afterwards: less memory, and the result is where the caches already are.
  mutating func overwriteDyingOperands() {
    var lastUses: [Int: Int] = [:]
    for (index, step) in steps.enumerated() {
      for operand in step.operands + step.results { lastUses[operand.buffer] = index }
    }
    for (_, operand) in results { lastUses[operand.buffer] = steps.count }
    var renamed: [Int: Operand] = [:]  // result buffer → the operand it is written over
    func rename(_ operand: inout Operand) {
      guard let place = renamed[operand.buffer] else { return }
      (operand.buffer, operand.offset) = (place.buffer, place.offset)
    }
    for index in steps.indices {
      for position in steps[index].operands.indices { rename(&steps[index].operands[position]) }
      // A step that accumulates writes where an operand lies.
      for position in steps[index].results.indices { rename(&steps[index].results[position]) }
      guard let result = steps[index].results.first,
        buffers[result.buffer].place == .allocated,
        // Not where it is one of several that lie together.
        result.offset == 0, buffers[result.buffer].sizeInBytes == result.sizeInBytes,
        let dying = steps[index].overwritable.first(where: { operand in
          operand.type == result.type && operand.layout == result.layout
            && buffers[operand.buffer].place == .allocated && lastUses[operand.buffer] == index
        })
      else { continue }
      renamed[result.buffer] = dying
      lastUses[dying.buffer] = lastUses[result.buffer]
      rename(&steps[index].results[0])
    }
    for index in results.indices { rename(&results[index].operand) }
  }
}

extension Step {
  /// The operands that the first result may be written over: each of its elements depends on the same
  /// element of them and on whole vectors per channel, which are read or summed before anything is
  /// written. The kernel library's gradients may be written over a gradient only.
  fileprivate var overwritable: [Operand] {
    // Of several, one might be written before another is read.
    if case .elements = kind { return results.count == 1 ? operands : [] }
    guard case .op(let op) = kind else { return [] }
    switch op {
    case .unary, .binary, .activation: return operands
    case .batchNorm, .activatedBatchNorm: return [operands[0]]
    case .batchNormTraining: return [operands[0]] + operands.dropFirst(3)
    case .activationGradient: return [operands[1]]
    case .batchNormGradient: return [operands[4]]
    case .activatedBatchNormGradient: return [operands[0], operands[4]]
    case .input, .constant, .iota, .compare, .select, .convert, .reshape, .transpose, .broadcast,
      .slice, .pad, .concatenate, .barrier, .reduce, .argMax, .dot, .convolution,
      .convolutionInputGradient, .convolutionFilterGradient, .pool, .poolGradient,
      .localResponseNorm, .localResponseNormGradient:
      return []
    }
  }
}
