import Foundation

/// The physical memory of this process, as Linux counts it.
public enum ProcessMemory {
  /// What `memory_method` of a row says where `peakBytes(during:)` has a value.
  public static let method = "VmHWM of /proc/self/status after writing 5 to /proc/self/clear_refs"

  /// Bytes resident now; nil where the system does not tell.
  public static func residentBytes() -> Int? {
    SystemFiles.live.text(statusPath).flatMap { bytes(of: "VmRSS", inStatus: $0) }
  }

  /// Bytes resident now of another process; nil where it is gone, or the system does not tell.
  static func residentBytes(of process: pid_t) -> Int? {
    SystemFiles.live.text("/proc/\(process)/status").flatMap { bytes(of: "VmRSS", inStatus: $0) }
  }

  /// Largest number of bytes resident since the start or the last reset; nil where the system
  /// does not tell.
  public static func peakBytes() -> Int? {
    SystemFiles.live.text(statusPath).flatMap { bytes(of: "VmHWM", inStatus: $0) }
  }

  /// Starts a new peak at what is resident now; false where that is not possible.
  ///
  /// Linux, `Documentation/filesystems/proc.rst`, section 3.1 of `/proc/PID/clear_refs`: value 5.
  public static func resetPeak() -> Bool {
    let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    let written = write(file, "5", 1)
    guard close(file) == 0, written == 1 else { return false }
    return SystemFiles.live.text(statusPath).map(peakWasReset(inStatus:)) ?? false
  }

  /// Runs `body`, and returns its result with the peak of resident bytes while it ran: nil where
  /// peaks cannot be reset.
  public static func peakBytes<Result, Failure: Error>(
    during body: () throws(Failure) -> Result
  ) throws(Failure) -> (result: Result, peakBytes: Int?) {
    let wasReset = resetPeak()
    let result = try body()
    return (result, wasReset ? peakBytes() : nil)
  }

  /// The field `name`, given in kB, of a `/proc/PID/status` text, in bytes.
  public static func bytes(of name: String, inStatus text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
      let words = line.dropFirst(name.count + 1).split(whereSeparator: \.isWhitespace)
      guard words.count == 2, words[1] == "kB", let kibibytes = Int(words[0]), kibibytes >= 0
      else { return nil }
      let (bytes, overflow) = kibibytes.multipliedReportingOverflow(by: 1024)
      return overflow ? nil : bytes
    }
    return nil
  }

  /// Whether a `/proc/PID/status` text read right after a reset shows that it took effect.
  ///
  /// Some sandboxes accept the write and do nothing. The slack is for what other threads allocate
  /// in between and for counters the kernel batches per thread.
  public static func peakWasReset(inStatus text: String) -> Bool {
    guard let resident = bytes(of: "VmRSS", inStatus: text),
      let peak = bytes(of: "VmHWM", inStatus: text)
    else { return false }
    return peak - resident <= max(16 << 20, resident / 8)
  }

  private static let statusPath = "/proc/self/status"
}
