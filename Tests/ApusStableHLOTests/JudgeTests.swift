import ApusStableHLO
import Testing

@Suite(
  "XLA, asked through JAX, computes what the reference does",
  .enabled(if: Judge.python != nil, "needs \(Judge.wanted), found none"))
struct JudgeTests {
  /// The verdicts on all subjects, from one process.
  private static let verdicts = Result {
    var cases: [JudgedCase] = []
    var ranges: [JudgedCase.Subject: Range<Int>] = [:]
    for subject in JudgedCase.Subject.allCases {
      let more = try subject.cases()
      ranges[subject] = cases.count..<cases.count + more.count
      cases += more
    }
    let verdicts = try Judge.verdicts(on: cases)
    return ranges.mapValues { Array(verdicts[$0]) }
  }

  @Test("from the text of", arguments: JudgedCase.Subject.allCases)
  func agrees(subject: JudgedCase.Subject) throws {
    let verdicts = try #require(try Self.verdicts.get()[subject])
    #expect(!verdicts.isEmpty)
    for verdict in verdicts {
      if let difference = verdict.difference {
        Issue.record("\(verdict.name): \(difference)")
      }
    }
  }

  @Test("and updated parameters take the memory of their old values")
  func donation() throws {
    let verdict = try #require(try Self.verdicts.get()[.updates]?.first)
    #expect(verdict.donated == [1, 2])
  }
}
