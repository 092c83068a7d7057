import ApusIR
import ApusReference
import ApusTestSupport
import Foundation
import Testing

@Suite("The reference agrees with PyTorch")
struct TorchTests {
  /// Rows that PyTorch has no op for; ``HandComputedTests`` holds what they mean.
  static let inexpressible: Set<OpKey> = [.input, .barrier]
  /// The listing shortens constants of more than eight values.
  static let unlisted: Set<String> = ["constant of twelve values"]

  static var expressible: [OpCase] {
    OpCase.all.filter { !inexpressible.contains(OpKey($0.op)) && !unlisted.contains($0.name) }
  }

  @Test("The script's list of cases is the table's")
  func listingIsCurrent() throws {
    let listing = try Self.expressible.map { try $0.listing() }.joined(separator: "\n") + "\n"
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/cases.txt").path
    #expect(try difference(listing, fromFile: file) == nil)
  }

  @Test("The fixture holds every row that PyTorch can express, and no other")
  func fixtureIsComplete() throws {
    let names = Set(try TorchFixture.shared.get().entries.keys)
    #expect(Set(Self.expressible.map(\.name)).symmetricDifference(names).isEmpty)
  }

  @Test("on the row", arguments: expressible)
  func agrees(row: OpCase) throws {
    let entry = try #require(try TorchFixture.shared.get().entries[row.name])
    #expect(entry.operands.map(\.type) == row.operands.map(\.type))
    let graph = try row.graph()
    let results = try graph.evaluate(entry.operands)
    #expect(results.count == entry.results.count)
    // Both compute in double precision, so only the last rounding may differ.
    let strict = Tolerance(relative: min(row.tolerance.relative, 2e-7))
    let isFloat32 = results.allSatisfy { $0.dtype == .float32 }
    for (got, expected) in zip(results, entry.results) {
      #expect(difference(got, from: expected, within: isFloat32 ? strict : row.tolerance) == nil)
    }
  }
}
