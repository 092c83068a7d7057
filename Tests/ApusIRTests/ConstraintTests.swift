import ApusIR
import Foundation
import Testing

/// An op given operands that break one of its constraints.
struct ViolationRow: Sendable, CustomStringConvertible {
  /// The type that documents the constraints.
  let subject: String
  let constraint: String
  let op: Op
  let operands: [TensorType]

  init(_ subject: String, _ constraint: String, _ op: Op, _ operands: [TensorType] = []) {
    self.subject = subject
    self.constraint = constraint
    self.op = op
    self.operands = operands
  }

  var description: String { "\(subject) \(constraint): \(op.attributes) of \(operands)" }
}

@Suite("Constraints")
struct ConstraintTests {
  @Test("are reported by their number, with what must hold and what was given", arguments: rows)
  func reported(row: ViolationRow) throws {
    let violation = try #require(throws: Violation.self) { try row.op.resultTypes(row.operands) }
    #expect(violation.constraint == row.constraint)
    #expect(!violation.requirement.isEmpty && !violation.given.isEmpty)
    let wording = ["must ", "at most"]
    #expect(wording.contains { violation.requirement.contains($0) })
    let message = GraphError(
      path: "model.layer", op: row.op.name, violation: violation, operands: row.operands
    ).description
    let lines = message.split(separator: "\n")
    #expect(
      lines[0]
        == "model.layer: \(row.op.name): \(violation.requirement), got \(violation.given)")
    #expect(row.operands.isEmpty || lines[1].hasPrefix("  operands: \(row.operands[0])"))
  }

  @Test("that are documented all have a row here, and the rows no others")
  func documented() throws {
    let tested = Set(Self.rows.map { "\($0.subject) \($0.constraint)" }).filter {
      !$0.hasSuffix(" C0")
    }
    let windowed = [
      "Convolution", "ConvolutionInputGradient", "ConvolutionFilterGradient", "Pool",
      "PoolGradient",
    ].flatMap { op in ["W1", "W2", "W3"].map { "\(op) \($0)" } }
    #expect(try documentedConstraints().union(windowed).symmetricDifference(tested).isEmpty)
  }

  /// "Convolution C3" for each `/// - C3:` above the type that it documents.
  private func documentedConstraints() throws -> Set<String> {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/ApusIR/Ops")
    var found: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    {
      var pending: [String] = []
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        if let match = line.firstMatch(of: /^\/\/\/ - (C\d):/) {
          pending.append(String(match.1))
        } else if let match = line.firstMatch(of: /^(?:public )?(?:struct|enum) (\w+)/) {
          found.formUnion(pending.map { "\(match.1) \($0)" })
          pending = []
        }
      }
    }
    return found
  }
}
