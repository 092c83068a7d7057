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
      for position in steps[index].results.indices {
        let result = steps[index].results[position]
        guard buffers[result.buffer].place == .allocated,
          // Not where it is one of several that lie together.
          result.offset == 0, buffers[result.buffer].sizeInBytes == result.sizeInBytes,
          let dying = steps[index].overwritable(by: position).first(where: { operand in
            operand.type == result.type && operand.layout == result.layout
              && isOurs(operand.buffer) && lastUses[operand.buffer] == index
              && !steps[index].results.contains { $0.buffer == operand.buffer }
          })
        else { continue }
        renamed[result.buffer] = dying
        lastUses[dying.buffer] = lastUses[result.buffer]
        rename(&steps[index].results[position])
      }
    }
    for index in results.indices { rename(&results[index].operand) }
  }

  /// Whether steps may write into a buffer once its value is read no more: it is allocated, or the
  /// memory of what the run updates, where its next value belongs.
  private func isOurs(_ buffer: Int) -> Bool {
    switch buffers[buffer].place {
    case .allocated: true
    case .input(let index): inputs[index].path != nil
    case .parameter, .constant, .prepared, .arena: false
    }
  }
}

extension Step {
  /// The operands that the first result may be written over: each of its elements depends on the same
  /// element of them and on whole vectors per channel, which are read or summed before anything is
  /// written. The kernel library's gradients may be written over a gradient only.
  ///
  /// - Parameter result: the index of what is written there; of an op only the first one.
  fileprivate func overwritable(by result: Int) -> [Operand] {
    if case .elements(let program) = kind {
      let later = Set(program.operandsRead(after: result).map { operands[$0].buffer })
      return operands.filter { !later.contains($0.buffer) }
    }
    if result > 0 { return [] }
    guard case .op(let op) = kind else { return [] }
    switch op {
    case .unary, .binary, .activation, .select: return operands
    case .batchNorm, .activatedBatchNorm: return [operands[0]]
    case .batchNormTraining: return [operands[0]] + operands.dropFirst(3)
    case .activationGradient: return [operands[1]]
    case .batchNormGradient: return [operands[4]]
    case .activatedBatchNormGradient: return [operands[0], operands[4]]
    case .input, .constant, .iota, .compare, .convert, .reshape, .transpose, .broadcast,
      .slice, .pad, .concatenate, .barrier, .reduce, .argMax, .dot, .convolution,
      .convolutionInputGradient, .convolutionFilterGradient, .pool, .poolGradient,
      .localResponseNorm, .localResponseNormGradient:
      return []
    }
  }
}
