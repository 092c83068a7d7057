import ApusRuntime
import ApusStableHLO
import Foundation

/// Compiled programs on disk, in a folder that only its user can write: they get executed.
///
/// It never stands in the way of compiling: what is wrong with it is reported in one line each.
public struct ExecutableCache: Sendable {
  public let folder: String
  /// Beyond this size the entries not used for longest are removed.
  public let limitInBytes: Int
  private let report: @Sendable (String) -> Void

  /// The user's cache: `$XDG_CACHE_HOME/apus/xla`, or `~/.cache/apus/xla`.
  ///
  /// `nil`, with a report, where the folder cannot be made or others may write it.
  public init?(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    report: @escaping @Sendable (String) -> Void = Self.printed
  ) {
    guard
      let folder = CacheFolder(
        "xla", for: Self.contents, environment: environment, report: report)
    else { return nil }
    self.init(folder, limitInBytes: 1 << 31, report: report)
  }

  /// - Parameter folders: each inside the one before; those that do not exist are made.
  package init?(
    folders: [String], limitInBytes: Int = 1 << 31, report: @escaping @Sendable (String) -> Void
  ) {
    guard let folder = CacheFolder(folders: folders, for: Self.contents, report: report) else {
      return nil
    }
    self.init(folder, limitInBytes: limitInBytes, report: report)
  }

  private init(
    _ folder: CacheFolder, limitInBytes: Int, report: @escaping @Sendable (String) -> Void
  ) {
    self.folder = folder.path
    self.limitInBytes = limitInBytes
    self.report = report
  }

  private static let contents = "compiled programs"

  /// Prints a line to standard error.
  public static let printed: @Sendable (String) -> Void = { line in
    FileHandle.standardError.write(Data("apus: \(line)\n".utf8))
  }
}

// MARK: - Keys

extension ExecutableCache {
  /// Names a program together with everything that decides what it compiles to.
  func key(of text: String, _ options: [UInt8], for device: Device) -> String {
    var hasher = SHA256()
    let plugin = device.client.plugin
    var file = stat()
    stat(plugin.path, &file)
    let facts = [
      plugin.path, "\(file.st_size) \(file.st_mtim.tv_sec) \(file.st_mtim.tv_nsec)",
      "\(plugin.apiVersion) \(plugin.attributes.sorted { $0.key < $1.key })",
      device.client.platformName, device.client.platformVersion, device.kind,
      Self.processor, ProcessInfo.processInfo.environment["XLA_FLAGS"] ?? "", text,
    ]
    for fact in facts.map({ Array($0.utf8) }) + [options] {
      // The length keeps two facts from running into each other.
      hasher.update(Array("\(fact.count):".utf8) + fact)
    }
    return hasher.hexadecimal()
  }

  /// The features of the processor, which the CPU plugin and all host code are compiled for.
  private static let processor: String = {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n")
    return ["model name", "flags", "Features"].compactMap { name in
      lines.first { $0.hasPrefix(name) }.map(String.init)
    }.joined(separator: "\n")
  }()
}

// MARK: - Entries

extension ExecutableCache {
  /// An entry is this line, the hash of the rest, and the executable.
  private static let mark = Array("apus xla executable 1\n".utf8)

  /// The program under a key; `nil` where there is none, or none of any use.
  func load(_ key: String, _ module: StableHLOModule, _ device: Device) -> LoadedExecutable? {
    guard let serialized = read(key) else { return nil }
    do {
      let loaded = try device.load(serialized, of: module)
      utimensat(AT_FDCWD, path(key), nil, 0)
      return loaded
    } catch {
      report("\(path(key)): ignored and compiled again: \(error)")
      return nil
    }
  }

  /// Keeps an executable, where its plugin can write it.
  func store(_ executable: Executable, _ key: String) {
    do {
      guard let serialized = try executable.serialized() else { return }
      makeRoom(for: serialized.count)
      var file = try AtomicFile(path: path(key))
      try file.write(Self.mark + SHA256.hash(serialized))
      try file.write(serialized)
      try file.commit()
    } catch {
      report("a compiled program is not kept: \(error)")
    }
  }

  private func path(_ key: String) -> String { "\(folder)/\(key).pjrt" }

  /// The executable under a key, when all of it is there and the user's own.
  private func read(_ key: String) -> [UInt8]? {
    let descriptor = open(path(key), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    if descriptor < 0 && errno == ENOENT { return nil }
    defer { if descriptor >= 0 { close(descriptor) } }
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0,
      status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid()
    else {
      report("\(path(key)): ignored: it must be a file of the user's own")
      return nil
    }
    let content = [UInt8](FileHandle(fileDescriptor: descriptor).readDataToEndOfFile())
    let start = Self.mark.count + 32
    let serialized = Array(content.dropFirst(start))
    guard content.count > start, content.starts(with: Self.mark),
      content[Self.mark.count..<start].elementsEqual(SHA256.hash(serialized))
    else {
      report("\(path(key)): ignored and compiled again: it is damaged")
      return nil
    }
    return serialized
  }

  /// Removes the entries not used for longest until there is room.
  private func makeRoom(for size: Int) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let entries = names.filter { $0.hasSuffix(".pjrt") }.map { name in
      var status = stat()
      stat("\(folder)/\(name)", &status)
      return (name: name, size: Int(status.st_size), used: status.st_mtim.tv_sec)
    }
    var total = entries.reduce(size) { $0 + $1.size }
    for entry in entries.sorted(by: { $0.used < $1.used }) where total > limitInBytes {
      unlink("\(folder)/\(entry.name)")
      total -= entry.size
    }
  }
}
