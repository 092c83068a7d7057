import Foundation

/// A folder in the user's cache that nobody else can write.
public struct CacheFolder: Sendable {
  public let path: String

  /// `$XDG_CACHE_HOME/apus/NAME`, or `~/.cache/apus/NAME`, made where it is missing.
  ///
  /// `nil`, with a report, where the folder cannot be made or others may write it.
  ///
  /// - Parameter contents: what the report says is not kept.
  public init?(
    _ name: String, for contents: String,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    report: (String) -> Void
  ) {
    // By the specification a relative path is to be ignored.
    let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
    let cache = base ?? home + "/.cache"
    self.init(
      folders: [cache, cache + "/apus", cache + "/apus/" + name], for: contents, report: report)
  }

  /// - Parameter folders: each inside the one before; those that do not exist are made.
  package init?(folders: [String], for contents: String, report: (String) -> Void) {
    guard let folder = folders.last else { return nil }
    for folder in folders { mkdir(folder, 0o700) }
    // The base may be the system's; what is Apus's own must be nobody else's.
    for folder in folders.dropFirst(folders.count > 1 ? 1 : 0) {
      if let flaw = Self.flaw(of: folder) {
        report("\(contents) are not kept: \(folder) \(flaw)")
        return nil
      }
    }
    path = folder
  }

  private static func flaw(of folder: String) -> String? {
    var status = stat()
    guard lstat(folder, &status) == 0 else {
      return "cannot be made: \(String(cString: strerror(errno)))"
    }
    if status.st_mode & S_IFMT != S_IFDIR { return "must be a folder" }
    if status.st_uid != geteuid() { return "must belong to the user" }
    if status.st_mode & 0o022 != 0 { return "must not be writable by others (chmod go-w)" }
    return nil
  }
}
