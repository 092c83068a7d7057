import Foundation

/// A file that the operating system did not let us open, read or write.
public struct FileError: Error, Hashable, Sendable {
  /// What was attempted.
  public enum Operation: String, Hashable, Sendable {
    case open, read, create, write, replace
  }

  public let path: String
  public let operation: Operation

  /// The system's error number.
  public let code: Int32

  public init(path: String, operation: Operation, code: Int32) {
    self.path = path
    self.operation = operation
    self.code = code
  }
}

extension FileError: CustomStringConvertible {
  public var description: String {
    let reason = String(cString: strerror(code))
    let fact = "\(path.printable): cannot \(operation.rawValue) the file: \(reason)"
    return remedy.map { "\(fact)\n  hint: \($0)" } ?? fact
  }

  private var remedy: String? {
    let isWriting = operation != .open && operation != .read
    return switch code {
    case ENOSPC, EDQUOT: "free some space or choose another folder"
    case EFBIG: "the system limits the size of files (ulimit -f)"
    case ENOENT where isWriting: "create the folder first"
    case EACCES, EPERM, EROFS: isWriting ? "choose a folder that may be written" : nil
    case EISDIR: isWriting ? "name a file, not a folder" : nil
    default: nil
    }
  }
}

extension String {
  /// The text for a message: control characters escaped, so that a foreign file cannot drive a
  /// terminal, and cut where it is absurdly long.
  package var printable: String {
    var result = ""
    for scalar in unicodeScalars.prefix(400) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return unicodeScalars.count > 400 ? result + "…" : result
  }
}
