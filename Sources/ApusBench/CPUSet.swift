/// Numbers of logical CPUs.
public enum CPUSet {
  /// The online CPUs this process may run on, ascending; nil where the system does not tell.
  ///
  /// The mask `sched_getaffinity(2)` gives, of the process's first thread: ask before a thread
  /// runtime pins its threads. The kernel lists CPUs that could be plugged in too, hence "online".
  public static func affinity(in files: SystemFiles = .live) -> [Int]? {
    guard let status = files.text("/proc/self/status"),
      let allowed = allowed(inStatus: status)
    else { return nil }
    guard let online = online(in: files).map(Set.init) else { return allowed }
    let usable = allowed.filter(online.contains)
    return usable.isEmpty ? allowed : usable
  }

  /// The CPUs that are switched on, ascending; nil where the system does not tell.
  public static func online(in files: SystemFiles = .live) -> [Int]? {
    files.text("/sys/devices/system/cpu/online").flatMap(parse(list:))
  }

  /// The affinity mask in a `/proc/PID/status` text.
  public static func allowed(inStatus text: String) -> [Int]? {
    let name = "Cpus_allowed_list:"
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let list = line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first
    else { return nil }
    return parse(list: String(list))
  }

  /// The numbers of a list such as `0-3,8,10-11`, ascending; nil when the text is not one.
  ///
  /// The list format of the Linux `cpuset(7)` manual page, without strides.
  public static func parse(list text: String) -> [Int]? {
    var numbers: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1],
        first >= 0, first <= last, last < 65_536
      else { return nil }
      numbers.formUnion(first...last)
    }
    return numbers.sorted()
  }
}
