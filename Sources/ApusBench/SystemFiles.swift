import Foundation

/// The text files a kernel describes the machine with, or a stand-in for them.
public struct SystemFiles: Sendable {
  private let reader: @Sendable (String) -> String?

  /// The files of this machine.
  public static let live = SystemFiles(reader: readSystemFile)

  /// The given texts by path, and nothing else.
  public init(_ contents: [String: String]) {
    reader = { contents[$0] }
  }

  private init(reader: @escaping @Sendable (String) -> String?) {
    self.reader = reader
  }

  /// The text of the file at `path`, without white space around it; nil when it cannot be read.
  public func text(_ path: String) -> String? {
    reader(path)?.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// Files of `/proc` claim to have no size, so this reads to the end, but not more than 16 MiB.
@Sendable private func readSystemFile(_ path: String) -> String? {
  guard let file = fopen(path, "re") else { return nil }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while bytes.count < 16 << 20 {
    let count = fread(&chunk, 1, chunk.count, file)
    if count == 0 { break }
    bytes += chunk[..<count]
  }
  return ferror(file) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
}
