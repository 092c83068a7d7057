import Foundation

/// The folder of a run while it is written: `plan.json`, `env.json`, `results.jsonl` with a line
/// for each cell and repetition, and `samples/` with the time of each iteration.
///
/// A line is on the disk before the next cell begins: whatever ends the process loses at most the
/// cell in flight.
public final class RunWriter {
  public let path: String
  /// What was there already when the run was opened to be resumed.
  public let earlier: [BenchRow]
  /// Whether an incomplete last line was dropped then.
  public let hasDroppedLine: Bool
  private let descriptor: Int32

  /// Begins a run in a new or empty folder, or goes on with one where `resumes` says so.
  public init(
    _ path: String, _ plan: SweepPlan, environment: RunEnvironment, resumes: Bool
  ) throws(RunError) {
    let kept = try Self.plan(in: path)
    if let kept {
      guard resumes else { throw RunError(path, .exists) }
      if let difference = plan.difference(from: kept) {
        throw RunError(path, .otherMatrix(difference))
      }
    } else {
      try Self.makeFolder(path)
      let file = path + "/env.json"
      try Self.write(Self.json(environment, file), indented: true, to: file)
    }
    let results = path + "/results.jsonl"
    let descriptor = try Self.openResults(results)
    let lines: ResultLines
    do throws(RunError) {
      lines = try ResultLines(results)
      // What follows must not be joined to half a line.
      if lines.incompleteByteCount > 0, ftruncate(descriptor, off_t(lines.completeByteCount)) != 0 {
        throw RunError(results, .notWritten(errno))
      }
      // Last, so that a folder with a plan is whole.
      let file = path + "/plan.json"
      if kept == nil { try Self.write(Self.json(plan, file), indented: true, to: file) }
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
    (earlier, hasDroppedLine) = (lines.rows, lines.incompleteByteCount > 0)
  }

  deinit { close(descriptor) }

  /// Appends a row, and waits for the disk.
  ///
  /// - Parameter samples: the times of the iterations in milliseconds, for a file of their own.
  /// - Returns: the row as it was written, with the name of that file.
  @discardableResult
  public func add(
    _ row: BenchRow, _ job: SweepPlan.Job, samples: [Double] = []
  ) throws(RunError) -> BenchRow {
    var row = row
    if !samples.isEmpty {
      let name = "samples/\(job.index + 1)-\(job.repetition).json"
      try Self.write(.array(samples.map(JSONValue.number)), to: path + "/" + name)
      row.samples = name
    }
    let line = try Self.json(row, path).text() + "\n"
    try writeSynced(Array(line.utf8), to: descriptor, path + "/results.jsonl")
    return row
  }

  /// The plan of the run in a folder; nil where there is none.
  public static func plan(in path: String) throws(RunError) -> SweepPlan? {
    let file = path + "/plan.json"
    guard let data = FileManager.default.contents(atPath: file) else { return nil }
    guard let plan = try? JSONDecoder().decode(SweepPlan.self, from: data) else {
      throw RunError(file, .damaged("a plan that `apus bench -o` wrote"))
    }
    return plan
  }

  private static func makeFolder(_ path: String) throws(RunError) {
    let files = FileManager.default
    // What an interrupted beginning leaves behind.
    let ours = Set(["env.json", "env.json.new", "plan.json.new", "results.jsonl", "samples"])
    let isOurs = (try? files.contentsOfDirectory(atPath: path))?.allSatisfy(ours.contains)
    if files.fileExists(atPath: path) && isOurs != true { throw RunError(path, .notEmpty) }
    do {
      try files.createDirectory(atPath: path + "/samples", withIntermediateDirectories: true)
    } catch {
      throw RunError(path, .notMade)
    }
  }

  /// Opens the file for appending, and for nobody else beside.
  private static func openResults(_ path: String) throws(RunError) -> Int32 {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw RunError(path, .notWritten(errno)) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw RunError(path, .busy)
    }
    return descriptor
  }

  private static func json(_ value: some Encodable, _ path: String) throws(RunError) -> JSONValue {
    do {
      return try JSONValue(encoding: value)
    } catch {
      throw RunError(path, .notEncoded("\(error)"))
    }
  }

  /// Writes a whole file; it is there either completely or not at all.
  private static func write(
    _ value: JSONValue, indented: Bool = false, to path: String
  ) throws(RunError) {
    let text = value.text(indented: indented) + "\n"
    let temporary = path + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw RunError(path, .notWritten(errno)) }
    defer { close(descriptor) }
    try writeSynced(Array(text.utf8), to: descriptor, path)
    guard rename(temporary, path) == 0 else { throw RunError(path, .notWritten(errno)) }
  }
}

/// Writes all bytes and waits until they are on the disk.
private func writeSynced(
  _ bytes: [UInt8], to descriptor: Int32, _ path: String
) throws(RunError) {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { throw RunError(path, .notWritten(count < 0 ? errno : EIO)) }
    rest = rest.dropFirst(count)
  }
  // Not every file system can: what it has then is what it has.
  guard fsync(descriptor) == 0 || errno == EINVAL else { throw RunError(path, .notWritten(errno)) }
}
