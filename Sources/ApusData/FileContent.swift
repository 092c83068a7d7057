import Foundation

/// Reads whole files, and only regular ones: no directory, pipe or device.
enum FileContent {
  static func read(_ path: String) throws(DatasetError) -> [UInt8] {
    // A pipe without a writer would block `open` for ever.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw systemError() }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw systemError() }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw DatasetError(.notAFile(kind: "a folder"))
    case S_IFIFO: throw DatasetError(.notAFile(kind: "a pipe"))
    default: throw DatasetError(.notAFile(kind: "a device or socket"))
    }
    let size = Int(status.st_size)
    guard size > 0 else { throw DatasetError(.emptyFile) }
    guard size <= ImageLimits.fileBytes else { throw DatasetError(.fileTooLarge(bytes: size)) }
    return try read(size, from: file)
  }

  private static func read(_ size: Int, from file: CInt) throws(DatasetError) -> [UInt8] {
    var failure: DatasetError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = Foundation.read(file, buffer.baseAddress.map { $0 + count }, size - count)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failure = systemError() }
        if got <= 0 { return }
        count += got
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// What the system says about the call that just failed.
  static func systemError() -> DatasetError {
    DatasetError(.unreadable(words: String(cString: strerror(errno))))
  }
}
