import Foundation

/// The reading end of a stream that a child writes.
struct ChildStream {
  /// More than that of a result is nobody's.
  private static let limit = 256 << 20
  /// How much of the end counts as the last words.
  private static let tailLength = 4096

  private(set) var data = Data()
  private var descriptor: Int32

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  /// The last of it, as text.
  var tail: String { String(decoding: data.suffix(Self.tailLength), as: UTF8.self) }

  /// Takes what is there without waiting, and returns it.
  @discardableResult
  mutating func read() -> Data {
    var fresh = Data()
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while descriptor >= 0 {
      let count = Foundation.read(descriptor, &chunk, chunk.count)
      if count > 0 {
        fresh.append(contentsOf: chunk[..<count])
      } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
        close()
      } else if errno == EAGAIN {
        break
      }
    }
    if data.count < Self.limit { data.append(fresh) }
    return fresh
  }

  mutating func close() {
    if descriptor >= 0 { Foundation.close(descriptor) }
    descriptor = -1
  }

  /// Waits until one of the streams has something or is closed, or time is up. Where all are closed
  /// already, for a moment: their writer is about to end.
  static func wait(for streams: [ChildStream], milliseconds: Int32) {
    var polled = streams.filter { $0.descriptor >= 0 }
      .map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    let isOpen = !polled.isEmpty
    _ = poll(&polled, nfds_t(polled.count), isOpen ? milliseconds : 2)
  }
}
