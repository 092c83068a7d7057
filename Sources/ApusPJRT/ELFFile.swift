import ApusRuntime
import Foundation

/// What the loader takes for granted about a shared library and dies of where it is not so.
enum ELFFile {
  /// What a file lacks to be a whole shared library of this machine; `nil` where nothing does.
  static func flaw(of path: String) throws(PluginError) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .file(FileError(path: path, operation: .open, code: errno))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .file(FileError(path: path, operation: .read, code: errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else { return "it is no file" }
    guard let header = bytes(descriptor, at: 0, count: 64),
      header.prefix(4) == [0x7F, 0x45, 0x4C, 0x46]
    else { return "it is no ELF file" }
    guard header[4] == 2, header[5] == 1, header.number(at: 16, bytes: 2) == 3,
      header.number(at: 18, bytes: 2) == machine
    else { return "it is an ELF file of another kind or machine" }
    let (table, count) = (header.number(at: 32, bytes: 8), header.number(at: 56, bytes: 2))
    guard header.number(at: 54, bytes: 2) == segmentSize,
      let segments = bytes(descriptor, at: table, count: count * segmentSize)
    else { return "it is cut off" }
    for segment in stride(from: 0, to: segments.count, by: segmentSize) {
      let start = segments.number(at: segment + 8, bytes: 8)
      let (end, overflow) = start.addingReportingOverflow(
        segments.number(at: segment + 32, bytes: 8))
      if start < 0 || end < start || overflow || end > Int(status.st_size) {
        return "it is cut off"
      }
    }
    return nil
  }

  /// The bytes that describe a segment, the same in all files of 64 bits.
  private static let segmentSize = 56

  /// The number of this machine's processor in a header.
  private static var machine: Int {
    #if arch(x86_64)
      62
    #elseif arch(arm64)
      183
    #else
      0
    #endif
  }

  private static func bytes(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt8]? {
    guard offset >= 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    return pread(descriptor, &bytes, count, offset) == count ? bytes : nil
  }
}

extension [UInt8] {
  /// An unsigned little-endian number; −1 where it does not fit.
  fileprivate func number(at offset: Int, bytes: Int) -> Int {
    let value = self[offset..<offset + bytes].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: value) ?? -1
  }
}
