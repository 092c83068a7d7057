import Foundation

/// A file that appears under its name only when complete.
///
/// Bytes go to a temporary file in the same folder, which `commit` renames; without it, or after
/// an error, nothing is left behind and a file that was there before stays as it was. A device or
/// a pipe is written directly.
public struct AtomicFile: ~Copyable {
  /// The file's name as the caller gave it.
  public let path: String

  private let destination: String
  private var temporary: String?
  private var descriptor: Int32

  /// Opens a file to be written at `path`; its folder must exist.
  public init(path: String) throws(FileError) {
    var status = stat()
    let exists = stat(path, &status) == 0
    let isRegular = status.st_mode & S_IFMT == S_IFREG
    if exists && (status.st_mode & S_IFMT == S_IFDIR || access(path, W_OK) != 0) {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileError(path: path, operation: .create, code: isFolder ? EISDIR : errno)
    }
    // The file behind a link is replaced, not the link; a device must not be replaced at all.
    let destination = exists && isRegular ? Self.resolved(path) : path
    let temporary = exists && !isRegular ? nil : Self.temporaryName(besides: destination)
    let flags = temporary == nil ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL
    let descriptor = open(temporary ?? path, flags, 0o666)
    guard descriptor >= 0 else {
      throw FileError(path: path, operation: .create, code: errno)
    }
    if exists && isRegular { _ = fchmod(descriptor, status.st_mode & 0o777) }
    self.path = path
    self.destination = destination
    self.temporary = temporary
    self.descriptor = descriptor
  }

  deinit { Self.discard(descriptor, temporary) }

  /// Appends bytes.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      let count = systemWrite(descriptor, chunk.baseAddress, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw FileError(path: path, operation: .write, code: count < 0 ? errno : EIO)
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: [UInt8]) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(FileError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Appends text as UTF-8.
  public mutating func write(_ text: String) throws(FileError) {
    try write(Array(text.utf8))
  }

  /// Completes the file and gives it its name, replacing one that was there.
  public consuming func commit() throws(FileError) {
    // Some file systems find out that they are full only now; devices cannot be synchronised.
    if temporary != nil && fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP {
      throw FileError(path: path, operation: .write, code: errno)
    }
    let open = descriptor
    descriptor = -1
    guard close(open) == 0 else {
      throw FileError(path: path, operation: .write, code: errno)
    }
    guard let name = temporary else { return }
    guard rename(name, destination) == 0 else {
      throw FileError(path: path, operation: .replace, code: errno)
    }
    temporary = nil
  }

  /// Writes a whole file of text as UTF-8.
  public static func write(_ text: String, to path: String) throws(FileError) {
    var file = try AtomicFile(path: path)
    try file.write(text)
    try file.commit()
  }

  private static func discard(_ descriptor: Int32, _ temporary: String?) {
    if descriptor >= 0 { close(descriptor) }
    if let temporary { unlink(temporary) }
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func temporaryName(besides path: String) -> String {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let mark = String(UInt64.random(in: .min ... .max), radix: 36)
    return "\(folder).apus-\(mark).tmp"
  }
}

/// `write(2)`, whose name the methods above take.
private func systemWrite(
  _ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int
) -> Int {
  write(descriptor, bytes, count)
}
