import Apus
import Foundation

/// The names of classes, by index.
struct ClassLabels {
  private let names: [String]

  private static let largestSizeInBytes = 64 << 20

  /// Reads one name a line.
  init(path: String, classes: Int) throws {
    guard let text = String(validating: try Self.bytes(of: path), as: UTF8.self) else {
      throw InputError("\(path.printable): labels must be UTF-8 text, got other bytes")
    }
    let withoutMark = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    var names = withoutMark.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    while names.last?.allSatisfy(\.isWhitespace) == true { names.removeLast() }
    guard names.count == classes else {
      throw InputError(
        "\(path.printable): labels must have one line for each of \(classes) classes, "
          + "got \(names.count) lines")
    }
    self.names = names.map(String.init)
  }

  subscript(index: Int) -> String { names[index] }

  private static func bytes(of path: String) throws -> Data {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(path: path, operation: .open, code: errno) }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
      throw FileError(path: path, operation: .read, code: EISDIR)
    }
    // A device may never end.
    guard let bytes = try? file.read(upToCount: largestSizeInBytes + 1) else {
      return Data()
    }
    guard bytes.count <= largestSizeInBytes else {
      throw InputError(
        "\(path.printable): labels must be at most \(largestSizeInBytes) bytes, got more")
    }
    return bytes
  }
}
