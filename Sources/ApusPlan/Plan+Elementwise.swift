import ApusIR

extension Plan {
  /// Joins element-by-element steps of one size that read each other into one step each, so that
  /// memory is read and written once: an optimiser's update of a parameter, say.
  mutating func joinElementwise(_ library: any KernelLibrary) {
    var groups: [ElementGroup] = []
    var makers: [Int: Int] = [:]  // buffer → open group that makes it
    for (index, step) in steps.enumerated() {
      guard let instructions = ElementGroup.instructions(of: step, library) else {
        // What it reads must be made before it, and what it writes over read before it: nothing is
        // added to those groups any more.
        let read = Set(step.operands.compactMap { makers[$0.buffer] })
        makers = makers.filter { _, group in
          !read.contains(group)
            && !step.results.contains { groups[group].reads(buffer: $0.buffer) }
        }
        continue
      }
      let group = groups.count
      groups.append(ElementGroup(size: step.results[0].elementsInMemory))
      // None of the groups that it reads reads another one: they may all be moved here.
      for made in Set(step.operands.compactMap { makers[$0.buffer] }).sorted() {
        let joins = groups[group].takes(groups[made], instructions.count)
        if joins { groups[group].append(groups[made]) }
        makers = makers.compactMapValues { $0 != made ? $0 : joins ? group : nil }
        if joins { groups[made] = ElementGroup(size: 0) }
      }
      groups[group].append(step, at: index, instructions)
      makers[step.results[0].buffer] = group
    }
    replace(groups.filter { $0.members.count > 1 })
  }

  private mutating func replace(_ groups: [ElementGroup]) {
    var readers: [Int: Set<Int>] = [:]
    for (index, step) in steps.enumerated() {
      for operand in step.operands { readers[operand.buffer, default: []].insert(index) }
    }
    for (_, operand) in results { readers[operand.buffer, default: []].insert(steps.count) }
    var removed: Set<Int> = []
    for group in groups {
      let last = group.members[group.members.count - 1]
      let joined = group.step(path: steps[last].path) { buffer in
        !(readers[buffer] ?? []).isSubset(of: group.members)
      }
      // What nothing reads is left out.
      removed.formUnion(joined.results.isEmpty ? group.members[...] : group.members.dropLast())
      steps[last] = joined
    }
    steps = steps.indices.filter { !removed.contains($0) }.map { steps[$0] }
  }
}

/// Steps that become one.
private struct ElementGroup {
  /// Of each tensor: its elements, and what pads them.
  let size: Int
  private(set) var members: [Int] = []
  private var operands: [Operand] = []
  private var made: [(operand: Operand, function: ElementProgram.Function, sources: [Operand])] = []

  /// A kernel holds no more operands and instructions together.
  private static let mostValues = 32

  init(size: Int) { self.size = size }

  /// Whether another group and some more instructions fit into this one.
  func takes(_ other: ElementGroup, _ count: Int) -> Bool {
    // Each instruction may bring an operand of its own, the first two.
    let values = operands.count + made.count + other.operands.count + other.made.count
    return size == other.size && values + 2 * count + 1 <= Self.mostValues
  }

  mutating func append(_ other: ElementGroup) {
    members += other.members
    for operand in other.operands where !operands.contains(operand) { operands.append(operand) }
    // What has no buffer is numbered in its own group.
    let shift = made.count
    func renumbered(_ operand: Operand) -> Operand {
      var operand = operand
      if operand.buffer < 0 { operand.buffer -= shift }
      return operand
    }
    made += other.made.map {
      (renumbered($0.operand), $0.function, $0.sources.map(renumbered))
    }
  }

  /// The functions a step consists of, with what they read; an operand without elements of its own
  /// stands for the function before. `nil` for steps that are no such functions.
  static func instructions(
    of step: Step, _ library: any KernelLibrary
  ) -> [(ElementProgram.Function, [Operand?])]? {
    guard case .op(let op) = step.kind, let function = ElementProgram.Function(op),
      step.results.count == 1, let result = step.results.first, result.type.elementCount > 1,
      function.takes((step.operands + [result]).map(\.type.dtype)),
      step.operands.allSatisfy({ operand in
        operand.type.shape == result.type.shape && operand.layout == result.layout
          || operand.type.elementCount == 1 && result.layout == .rowMajor
      })
    else { return nil }
    let own = step.operands.dropLast(step.addedOperandCount)
    var functions: [(ElementProgram.Function, [Operand?])] = [(function, own.map { $0 })]
    for postOp in step.postOps {
      guard case .binary(let binary, let operand) = postOp else { return nil }
      functions.append((.binary(binary), [nil, step.operands[operand]]))
    }
    return functions.allSatisfy { function, _ in
      library.joins(function) && (result.layout == .rowMajor || function.keepsZero)
    } ? functions : nil
  }

  mutating func append(
    _ step: Step, at index: Int, _ functions: [(ElementProgram.Function, [Operand?])]
  ) {
    members.append(index)
    var before: Operand?
    for (position, (function, sources)) in functions.enumerated() {
      // What lies between the functions of a step has no buffer of its own.
      var result = step.results[0]
      if position < functions.count - 1 { result.buffer = -1 - made.count }
      let read = sources.compactMap { $0 ?? before }
      for operand in read where !isMade(operand) && !operands.contains(operand) {
        operands.append(operand)
      }
      made.append((result, function, read))
      before = result
    }
  }

  func reads(buffer: Int) -> Bool { operands.contains { $0.buffer == buffer } }

  private func isMade(_ operand: Operand) -> Bool {
    made.contains { $0.operand.buffer == operand.buffer }
  }

  /// The step that does all of it.
  func step(path: String, isRead: (_ buffer: Int) -> Bool) -> Step {
    var results: [Operand] = []
    let instructions = made.enumerated().map { position, entry in
      let values = entry.sources.map { source in
        made[..<position].lastIndex { $0.operand.buffer == source.buffer }
          .map { operands.count + $0 } ?? operands.firstIndex(of: source) ?? 0
      }
      let isResult = entry.operand.buffer >= 0 && isRead(entry.operand.buffer)
      if isResult { results.append(entry.operand) }
      return ElementProgram.Instruction(
        function: entry.function, operands: values, result: isResult ? results.count - 1 : nil)
    }
    let program = ElementProgram(operandCount: operands.count, instructions: instructions)
    return Step(.elements(program), operands, results, path: path)
  }
}

extension Operand {
  /// How many elements lie in memory, those that pad it among them.
  fileprivate var elementsInMemory: Int { sizeInBytes / type.dtype.sizeInBytes }
}
