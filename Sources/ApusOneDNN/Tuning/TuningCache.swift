import ApusRuntime
import COneDNN
import Foundation
import Synchronization

/// What was found fastest on this processor, in a file of the user's cache.
///
/// It never stands in the way of compiling: what is wrong with it is reported in one line.
public final class TuningCache: Sendable {
  /// The file's content. An entry is only a name, which is looked up before it is used.
  struct Contents: Codable, Equatable {
    var format = 4
    var processor = TuningCache.processor
    var library = TuningCache.library
    /// The algorithm of a convolution, by shapes and layouts.
    var layers: [String: String] = [:]
    /// The layout of a network's images, by its graph.
    var networks: [String: String] = [:]

    /// Whether both are about the same processor and library.
    func matches(_ other: Contents) -> Bool {
      (format, processor, library) == (other.format, other.processor, other.library)
    }
  }

  private struct State {
    var contents = Contents()
    /// Whether something is not in the file yet.
    var isChanged = false
  }

  /// Beyond this size a file is none of ours.
  private static let limitInBytes = 1 << 24

  public let path: String
  private let report: @Sendable (String) -> Void
  private let state: Mutex<State>

  /// The user's: `$XDG_CACHE_HOME/apus/tuning`, or `~/.cache/apus/tuning`; `nil`, with a report,
  /// where that cannot be used.
  public convenience init?(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    report: @escaping @Sendable (String) -> Void = TuningCache.printed
  ) {
    let folder = CacheFolder(
      "tuning", for: "timings of kernels", environment: environment, report: report)
    guard let folder else { return nil }
    let name = SHA256.hash(Array("\(Self.processor)\n\(Self.library)".utf8))
      .prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    self.init(path: "\(folder.path)/\(name).json", report: report)
  }

  package init(path: String, report: @escaping @Sendable (String) -> Void) {
    self.path = path
    self.report = report
    state = Mutex(State())
    if let kept = read(reporting: true) { state.withLock { $0.contents = kept } }
  }

  /// Prints a line to standard error.
  public static let printed: @Sendable (String) -> Void = { line in
    FileHandle.standardError.write(Data("apus: \(line)\n".utf8))
  }

  private static let library: String = {
    guard let version = dnnl_version()?.pointee else { return "oneDNN" }
    return "oneDNN \(version.major).\(version.minor).\(version.patch)"
      + " \(dnnl_get_effective_cpu_isa().rawValue)"
  }()

  /// Name and features of the processor.
  private static let processor: String = {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n")
    return ["model name", "cpu family", "model\t", "cache size", "flags", "Features"]
      .compactMap { name in
        lines.first { $0.hasPrefix(name) }?.split(separator: ":").last
          .map { $0.trimmingCharacters(in: .whitespaces) }
      }.joined(separator: "; ")
  }()

  func layer(_ key: String) -> String? { state.withLock { $0.contents.layers[key] } }

  func network(_ key: String) -> String? { state.withLock { $0.contents.networks[key] } }

  func setLayer(_ key: String, _ value: String) {
    state.withLock { state in
      state.contents.layers[key] = value
      state.isChanged = true
    }
  }

  func setNetwork(_ key: String, _ value: String) {
    state.withLock { state in
      state.contents.networks[key] = value
      state.isChanged = true
    }
  }

  /// Writes what is new to the file, together with what other processes have added to it.
  func save() {
    let merged: Contents? = state.withLock { state in
      guard state.isChanged else { return nil }
      state.isChanged = false
      if let kept = read(reporting: false) {
        state.contents.layers.merge(kept.layers) { ours, _ in ours }
        state.contents.networks.merge(kept.networks) { ours, _ in ours }
      }
      return state.contents
    }
    guard let merged else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    do {
      var file = try AtomicFile(path: path)
      try file.write(Array(try encoder.encode(merged)))
      try file.commit()
    } catch {
      report("timings of kernels are not kept: \(error)")
    }
  }

  /// What the file holds, if it is about this processor and library.
  private func read(reporting: Bool) -> Contents? {
    guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? handle.close() }
    let flaw: String
    do {
      let data = try handle.read(upToCount: Self.limitInBytes + 1) ?? Data()
      let kept = try JSONDecoder().decode(Contents.self, from: data)
      if kept.matches(Contents()) { return kept }
      flaw = "it is of another processor or version"
    } catch {
      flaw = "it is not a file of timings"
    }
    if reporting { report("\(path): ignored and written anew: \(flaw)") }
    return nil
  }
}
