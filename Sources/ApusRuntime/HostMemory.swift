import Foundation

/// The memory this process may still take.
public enum HostMemory {
  /// Bytes that can be had without swapping, within the control group's limit; `nil` where the
  /// system does not say.
  public static var availableSizeInBytes: Int? {
    let machine = text("/proc/meminfo").flatMap(available(inMeminfo:))
    let group = available(
      limit: text("/sys/fs/cgroup/memory.max"), current: text("/sys/fs/cgroup/memory.current"),
      statistics: text("/sys/fs/cgroup/memory.stat"))
    return [machine, group].compactMap { $0 }.min()
  }

  /// Throws unless so many bytes are available.
  public static func require(_ sizeInBytes: Int) throws(BackendError) {
    if let available = availableSizeInBytes, sizeInBytes > available {
      throw .outOfMemory(sizeInBytes: sizeInBytes)
    }
  }

  /// `MemAvailable` of `/proc/meminfo`, in bytes.
  package static func available(inMeminfo text: String) -> Int? {
    let kibibytes = value(of: "MemAvailable:", in: text)
    return kibibytes.flatMap { $0 <= Int.max / 1024 ? $0 * 1024 : nil }
  }

  /// What a control group (version 2) leaves: its limit less what it uses, where cached files that
  /// the system drops when memory is wanted do not count; `nil` without a limit.
  ///
  /// - Parameters: the contents of `memory.max`, `memory.current` and `memory.stat`.
  package static func available(limit: String?, current: String?, statistics: String?) -> Int? {
    guard let limit = limit.flatMap(number), let current = current.flatMap(number) else {
      return nil
    }
    let droppable = statistics.flatMap { value(of: "inactive_file", in: $0) } ?? 0
    return max(limit - max(current - droppable, 0), 0)
  }

  /// The number after a key, on a line of its own.
  private static func value(of key: String, in text: String) -> Int? {
    let lines = text.split(separator: "\n").lazy.map { $0.split(separator: " ") }
    return lines.first { $0.first == key[...] }?.dropFirst().first.flatMap { Int($0) }
      .flatMap { $0 >= 0 ? $0 : nil }
  }

  private static func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  /// `max` (no limit) is not a number.
  private static func number(_ text: String) -> Int? {
    Int(text.trimmingCharacters(in: .whitespacesAndNewlines)).flatMap { $0 >= 0 ? $0 : nil }
  }
}
