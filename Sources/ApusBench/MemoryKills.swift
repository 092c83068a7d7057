/// How many processes the system has ended because memory ran out.
public enum MemoryKills {
  /// The number so far, on the whole machine or in the control group; nil where the system does not
  /// count.
  ///
  /// Linux, `Documentation/admin-guide/cgroup-v2.rst` (`memory.events`), `proc(5)` (`/proc/vmstat`).
  public static func count(in files: SystemFiles = .live) -> Int? {
    let texts = ["/proc/vmstat", "/sys/fs/cgroup/memory.events"].compactMap(files.text)
    let counts = texts.compactMap { count(inEvents: $0) }
    return counts.isEmpty ? nil : counts.reduce(0, +)
  }

  static func count(inEvents text: String) -> Int? {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "oom_kill" { return Int(words[1]) }
    }
    return nil
  }
}
