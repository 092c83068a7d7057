import Apus
import Foundation

/// Standard output, for results, and standard error, for everything else.
enum Console {
  /// Writes a result.
  ///
  /// - Throws: where it did not arrive, for instance because a disk is full.
  static func output(_ text: String) throws(FileError) {
    if let code = write(text, to: STDOUT_FILENO) {
      throw FileError(path: "standard output", operation: .write, code: code)
    }
  }

  static func warn(_ message: String) { report("warning: \(message)") }

  /// Says something beside the results; nobody can be told where even that is impossible.
  static func report(_ message: String) { _ = write(message + "\n", to: STDERR_FILENO) }

  /// Writes to standard error as it is.
  static func note(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// Takes the numbers of closed standard streams, so that no file opened later gets one of them
  /// and the messages with it. Writing to standard output stays an error then.
  static func reserveClosedStreams() {
    for stream in STDIN_FILENO...STDERR_FILENO where fcntl(stream, F_GETFD) < 0 {
      // The lowest free number is taken, which is this one.
      _ = open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// The system's error number, where not everything could be written.
  private static func write(_ text: String, to descriptor: Int32) -> Int32? {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      rest = rest.dropFirst(count)
    }
    return nil
  }
}
