import Foundation

/// Ctrl-C: the first one asks the work to stop and keep what there is, a second one ends the
/// process.
enum Interruption {
  nonisolated(unsafe) private static var isRequested: sig_atomic_t = 0

  /// The exit code after an interruption, as shells count it: 128 and the signal's number.
  static let exitCode: Int32 = 130

  static var requested: Bool { isRequested != 0 }

  /// - Parameter byParent: whether `SIGTERM` is the same, as a process gets it from the one that
  ///   runs it.
  static func watch(byParent: Bool = false) {
    if byParent { signal(SIGTERM) { _ in Interruption.isRequested = 1 } }
    signal(SIGINT) { _ in
      Interruption.isRequested = 1
      signal(SIGINT, SIG_DFL)
    }
  }
}
