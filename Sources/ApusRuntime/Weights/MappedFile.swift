import Foundation

/// A file's bytes, mapped into memory so that only what is touched is read.
///
/// The mapping is private to this process; a file that another process cuts short while it is
/// mapped cannot be protected against.
package struct MappedFile: Sendable {
  package let storage: HostTensor.Storage

  package var count: Int { storage.bytes.count }

  /// Maps a regular file.
  package init(path: String) throws(WeightsError.Reason) {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw .file(FileError(path: path, operation: .open, code: errno))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .file(FileError(path: path, operation: .read, code: errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegularFile }
    let size = Int(status.st_size)
    guard size > 0 else { throw .unrecognized(.empty) }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { throw .file(FileError(path: path, operation: .read, code: errno)) }
    storage = HostTensor.Storage(mappedFile: .init(start: base, count: size)) {
      munmap($0.baseAddress, $0.count)
    }
  }

  /// Holds bytes as if they were a file's.
  package init(contents: [UInt8]) {
    storage = HostTensor.Storage(sizeInBytes: contents.count)
    storage.bytes.copyBytes(from: contents)
  }

  /// The bytes of a range, which must lie inside the file; they live as long as `storage`.
  func bytes(
    at offset: Int, count: Int, part: String
  ) throws(WeightsError.Reason) -> UnsafeRawBufferPointer {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw .truncated(
        part: part, needs: UInt64(clamping: count), has: max(0, self.count - max(0, offset)))
    }
    return UnsafeRawBufferPointer(rebasing: storage.bytes[offset..<offset + count])
  }
}
