import ApusIR

extension Plan {
  /// Lets what is concatenated be written where the concatenation lies, so that nothing is copied.
  ///
  /// In blocks of channels the channels of one image lie one after the other: of one image, each
  /// operand is a stretch of the result. Where several concatenations begin alike (DenseNet), the
  /// shorter ones are the beginning of the longest.
  mutating func concatenateInPlace() {
    for index in steps.indices.reversed() where steps[index].joinsStretches {
      let step = steps[index]
      if let whole = stretch(step), writers(of: step.results[0].buffer) == [index] {
        move(step.results[0].buffer, to: whole)
        steps[index].operands = []
        continue
      }
      var copies: [Step] = []
      var moved: [Int: Operand] = [:]  // by buffer
      var place = step.results[0]
      for operand in step.operands {
        place.type = operand.type
        if moved[operand.buffer] == nil && canMove(operand, before: index) {
          move(operand.buffer, to: place)
          moved[operand.buffer] = place
        } else {
          copies.append(
            Step(.reorder, [moved[operand.buffer] ?? operand], [place], path: step.path))
        }
        place.offset += operand.sizeInBytes
      }
      if copies.count == step.operands.count { continue }
      steps[index].operands = []
      steps.insert(contentsOf: copies, at: index + 1)
    }
    steps.removeAll { $0.joinsStretches && $0.operands.isEmpty }
  }

  /// The operands of a step as one, where they lie one after the other already.
  private func stretch(_ step: Step) -> Operand? {
    guard var whole = step.operands.first else { return nil }
    var end = whole.offset
    for operand in step.operands {
      guard operand.buffer == whole.buffer, operand.offset == end else { return nil }
      end += operand.sizeInBytes
    }
    whole.type = step.results[0].type
    return whole
  }

  /// Whether an operand has a buffer of its own, which nothing writes from the step on.
  private func canMove(_ operand: Operand, before index: Int) -> Bool {
    let buffer = buffers[operand.buffer]
    return buffer.place == .allocated && operand.offset == 0
      && buffer.sizeInBytes == operand.sizeInBytes
      && !results.contains { $0.operand.buffer == operand.buffer }
      && writers(of: operand.buffer).allSatisfy { $0 < index }
  }

  private func writers(of buffer: Int) -> [Int] {
    steps.indices.filter { index in
      steps[index].results.contains { $0.buffer == buffer } && !steps[index].operands.isEmpty
    }
  }

  /// Gives a buffer its place within another one.
  private mutating func move(_ buffer: Int, to place: Operand) {
    func moved(_ operand: Operand) -> Operand {
      guard operand.buffer == buffer else { return operand }
      var operand = operand
      operand.buffer = place.buffer
      operand.offset += place.offset
      return operand
    }
    for index in steps.indices {
      steps[index].operands = steps[index].operands.map(moved)
      steps[index].results = steps[index].results.map(moved)
    }
    results = results.map { ($0.role, moved($0.operand)) }
  }
}

extension Step {
  /// Whether it concatenates the channels of one image in whole blocks.
  fileprivate var joinsStretches: Bool {
    guard case .op(.concatenate(let concatenate)) = kind, concatenate.axis == 1,
      case .blocked(let block) = results[0].layout, results[0].type.shape[0] == 1
    else { return false }
    return operands.allSatisfy { $0.layout == results[0].layout && $0.type.shape[1] % block == 0 }
  }
}
