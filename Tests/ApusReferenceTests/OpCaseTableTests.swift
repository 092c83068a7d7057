import ApusIR
import ApusReference
import ApusTestSupport
import Testing

@Suite("The table of op cases")
struct OpCaseTableTests {
  @Test("has a row for every op")
  func coversEveryOp() {
    #expect(Set(OpKey.allCases).subtracting(OpCase.all.map { OpKey($0.op) }).isEmpty)
  }

  @Test("names every row differently")
  func namesAreUnique() {
    let counts = Dictionary(grouping: OpCase.all, by: \.name).mapValues(\.count)
    #expect(counts.filter { $0.value > 1 }.isEmpty)
  }

  @Test("has rows whose graphs are valid and take the row's operands", arguments: OpCase.all)
  func graphsAreValid(row: OpCase) throws {
    let graph = try row.graph()
    try graph.verify()
    #expect(graph.inputs.map(\.input.type) == row.operands.map(\.type))
    #expect(row.inputs(seed: 1).map(\.type) == row.operands.map(\.type))
  }

  @Test("gives the same values for a seed and others for another", arguments: OpCase.all)
  func valuesFollowTheSeed(row: OpCase) throws {
    let (first, again) = (row.inputs(seed: 7), row.inputs(seed: 7))
    for (a, b) in zip(first, again) { #expect(difference(a, from: b, within: .exact) == nil) }
    let other = row.inputs(seed: 8)
    for (index, operand) in row.operands.enumerated() where isRandom(operand) {
      #expect(difference(first[index], from: other[index], within: .exact) != nil)
    }
  }

  @Test("evaluates the same as a graph and as a single op", arguments: OpCase.all)
  func graphAgreesWithOp(row: OpCase) throws {
    let graph = try row.graph()
    let inputs = row.inputs(seed: 3)
    let types = graph.outputs.map { graph[$0.value] }
    let results = try graph.evaluate(inputs)
    #expect(results.map(\.type) == types)
    for (a, b) in zip(results, evaluate(row.op, inputs, types)) {
      #expect(difference(a, from: b, within: .exact) == nil)
    }
  }

  /// Whether two seeds give different values with certainty, for the few there are to choose from.
  private func isRandom(_ operand: OperandSpec) -> Bool {
    if case .listed = operand.values { return false }
    return operand.type.elementCount >= 8
  }
}
