import Foundation

/// The complete lines of a `results.jsonl`.
///
/// A process or machine that went down may leave half a line at the end, or a stretch of zeros.
struct ResultLines {
  let rows: [BenchRow]
  let completeByteCount: Int
  let incompleteByteCount: Int

  init(_ path: String) throws(RunError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw RunError(path, .damaged("a file that can be read"))
    }
    let decoder = JSONDecoder()
    var rows: [BenchRow] = []
    var complete = 0
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // What follows the last line break is not a line yet.
    _ = lines.popLast()
    for (index, line) in lines.enumerated() {
      if let row = try? decoder.decode(BenchRow.self, from: line) {
        rows.append(row)
      } else if index < lines.count - 1 {
        throw RunError(path, .damaged("a row of a benchmark in line \(index + 1)"))
      } else {
        break
      }
      complete += line.count + 1
    }
    self.rows = rows
    completeByteCount = complete
    incompleteByteCount = data.count - complete
  }
}
