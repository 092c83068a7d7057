/// Why the files of a run cannot be read.
public enum RunDirectoryError: Error, Hashable, Sendable {
  case unreadable(path: String, reason: String)
  case tooLarge(path: String, limit: Int)
  case notARow(path: String, line: Int, RowProblem)
  case notSamples(path: String, given: String)
}

extension RunDirectoryError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(oneLine(path)): must be a folder with the \(RunDirectory.resultsName) that `apus bench -o` "
        + "writes, or such a file: \(reason)"
    case .tooLarge(let path, let limit):
      "\(oneLine(path)): must have at most \(HumanNumber.bytes(limit)), has more"
    case .notARow(let path, let line, let problem): "\(oneLine(path)):\(line): \(problem)"
    case .notSamples(let path, let given):
      "\(oneLine(path)): must be a list of times in milliseconds, above 0 and at most 10¹², got \(given)"
    }
  }
}

/// Why a text is no row of results.
public struct RowProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The key of the value, such as `latency_ms.median`; nil for the whole row.
  public let key: String?
  public let requirement: String
  public let given: String

  public var description: String {
    (key.map { $0 + ": " } ?? "") + "must be \(requirement), got \(given)"
  }
}
