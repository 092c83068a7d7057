import Foundation

/// The folder RUN that `apus bench -o RUN` fills, as others read it; nothing in it is trusted.
///
/// - `results.jsonl`: one `BenchRow` a line, appended and synced as soon as a cell is done.
/// - `samples/CELL-REPEAT.json`: the times of a row's measured iterations in the order they ran, one
///   JSON array of milliseconds. CELL is a name for the row's cell that can be part of a file name,
///   REPEAT the row's `repeat`. The row's `samples` names the file relative to RUN.
public enum RunDirectory {
  /// The rows of RUN, in the order they were written.
  ///
  /// A last line without its line break is what a crash or a power cut left: it is kept where it is
  /// a row, and dropped otherwise.
  ///
  /// - Parameter path: RUN, or a file like its `results.jsonl`.
  public static func read(_ path: String) throws(RunDirectoryError) -> [BenchRow] {
    let file = isFolder(path) ? path + "/" + resultsName : path
    let lines = try contents(of: file, named: path).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    var rows: [BenchRow] = []
    for (index, line) in lines.enumerated() where !line.allSatisfy(isSpace) {
      do throws(RowProblem) {
        rows.append(try BenchRow(line: Data(line)))
      } catch {
        if index == lines.count - 1 { break }
        throw .notARow(path: file, line: index + 1, error)
      }
    }
    return rows
  }

  /// The times of a row's iterations in milliseconds, one at least, each above 0; nil where the
  /// row names no file, or the file is gone (a copied `results.jsonl` has none).
  ///
  /// - Parameter path: what `read` was given.
  public static func samples(
    of row: BenchRow, in path: String
  ) throws(RunDirectoryError) -> [Double]? {
    guard let name = row.samples else { return nil }
    let folder = isFolder(path) ? path : (path as NSString).deletingLastPathComponent
    let file = folder.isEmpty ? name : folder + "/" + name
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let text = try contents(of: file, named: file)
    guard let times = try? JSONDecoder().decode([Double].self, from: text), !times.isEmpty,
      times.allSatisfy({ $0 > 0 && $0 <= 1e12 })
    else { throw .notSamples(path: file, given: RowProblem.excerpt(of: text)) }
    return times
  }

  static let resultsName = "results.jsonl"
  /// Some hundred thousand rows; nobody waits for more.
  private static let largestFile = 256 << 20

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D
  }

  /// - Parameter name: what the user calls it.
  private static func contents(
    of path: String, named name: String
  ) throws(RunDirectoryError) -> Data {
    guard let file = fopen(path, "re") else {
      throw .unreadable(path: name, reason: String(cString: strerror(errno)))
    }
    defer { fclose(file) }
    var data = Data()
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      data.append(contentsOf: chunk[..<count])
      if data.count > largestFile { throw .tooLarge(path: name, limit: largestFile) }
    }
    if ferror(file) != 0 {
      throw .unreadable(path: name, reason: String(cString: strerror(errno)))
    }
    return data
  }
}
