import Foundation

/// The memory this process may still take.
public enum HostMemory {
  /// Bytes that can be had without swapping, within the control group's limit; `nil` where the
  /// system does not say.
  public static var availableSizeInBytes: Int? {
    let machine = text("/proc/meminfo").flatMap(available(inMeminfo:))
    let group = text("/sys/fs/cgroup/memory.max").flatMap(number).flatMap { limit in
      text("/sys/fs/cgroup/memory.current").flatMap(number).map { max(limit - $0, 0) }
    }
    return [machine, group].compactMap { $0 }.min()
  }

  /// Throws unless so many bytes are available.
  public static func require(_ sizeInBytes: Int) throws(BackendError) {
    if let available = availableSizeInBytes, sizeInBytes > available {
      throw .outOfMemory(sizeInBytes: sizeInBytes)
    }
  }

  /// `MemAvailable` of `/proc/meminfo`, in bytes.
  static func available(inMeminfo text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return kibibytes.map { $0 * 1024 }
  }

  private static func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  /// `max` (no limit) is not a number.
  private static func number(_ text: String) -> Int? {
    Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
