import Foundation

/// Why the folder of a run cannot be written or continued.
public struct RunError: Error, Hashable, Sendable {
  public enum Reason: Hashable, Sendable {
    case exists
    case otherMatrix(String)
    case notEmpty
    case notMade
    case busy
    case damaged(String)
    case notEncoded(String)
    /// With the system's error number.
    case notWritten(Int32)
  }

  public let path: String
  public let reason: Reason

  init(_ path: String, _ reason: Reason) {
    self.path = path
    self.reason = reason
  }
}

extension RunError: CustomStringConvertible {
  public var description: String {
    switch reason {
    case .exists:
      "\(path): must be a new folder, got one with a run in it; "
        + "go on with that by --resume, or name another folder"
    case .otherMatrix(let difference):
      "\(path): --resume must have the options that the run was begun with, got a run of "
        + "\(difference); use the options in its plan.json, or name another folder"
    case .notEmpty:
      "\(path): must be a new or empty folder, got something else; name another one"
    case .notMade: "\(path): the folder cannot be made; choose one that may be written"
    case .busy: "\(path): must be written by one program at a time, got another one at work"
    case .damaged(let expected):
      "\(path): must be \(expected), got something else; name another folder to begin anew"
    case .notEncoded(let error): "\(path): cannot be written as JSON: \(error)"
    case .notWritten(let code): "\(path): cannot write the file: \(String(cString: strerror(code)))"
    }
  }
}
