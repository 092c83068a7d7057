import ApusIR
import ApusOneDNN
import ApusTestSupport
import Testing

@Suite("docs/status.md")
struct StatusTests {
  @Test("says which ops have rows in the case table and kernels on the CPU")
  func status() throws {
    var text = """
      # Ops and what runs them

      Written by a test (`APUS_RECORD=1` renews it). Every row of the case table runs on the \
      reference and, eager and compiled, on the CPU backend; what has no oneDNN kernel there runs \
      on the reference.

      | op | rows | with a oneDNN kernel |
      |---|---|---|

      """
    for key in OpKey.allCases {
      let rows = OpCase.all.filter { OpKey($0.op) == key }
      let kernels = rows.count { OneDNNBackend.hasKernel(for: $0.op, on: $0.operands.map(\.type)) }
      text += "| \(key) | \(rows.count) | \(kernels) |\n"
    }
    let path = #filePath.replacing(
      "Tests/ApusOneDNNTests/StatusTests.swift", with: "docs/status.md")
    let failure = try difference(text, fromFile: path)
    #expect(failure == nil)
  }
}
