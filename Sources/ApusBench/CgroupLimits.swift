/// What the control groups of a process allow it, version 1 and 2.
public struct CgroupLimits: Hashable, Sendable {
  /// CPUs it may use on average, possibly a fraction; nil without a limit.
  public let cpus: Double?
  /// Bytes of memory it may use; nil without a limit.
  public let memoryBytes: Int?

  public init(cpus: Double? = nil, memoryBytes: Int? = nil) {
    self.cpus = cpus
    self.memoryBytes = memoryBytes
  }

  /// The tightest limits of this process's groups and of all groups around them.
  ///
  /// `cgroups(7)`; Linux, `Documentation/admin-guide/cgroup-v2.rst` (`cpu.max`, `memory.max`) and
  /// `scheduler/sched-bwc.rst` (`cpu.cfs_quota_us`).
  public static func current(in files: SystemFiles = .live) -> CgroupLimits {
    guard let groups = files.text("/proc/self/cgroup"),
      let mounts = files.text("/proc/self/mountinfo")
    else { return CgroupLimits() }
    let hierarchies = CgroupMount.parse(mountInfo: mounts)
    var cpus: [Double] = []
    var memory: [Int] = []
    for membership in CgroupMembership.parse(groups) {
      for folder in hierarchies.flatMap({ $0.folders(of: membership) }) {
        cpus += [cpuLimit(folder, membership, files)].compactMap { $0 }
        memory += [memoryLimit(folder, membership, files)].compactMap { $0 }
      }
    }
    return CgroupLimits(cpus: cpus.min(), memoryBytes: memory.min())
  }

  /// The CPUs that the text of a version 2 `cpu.max` allows: "150000 100000" is 1.5, "max …" nil.
  public static func cpus(cpuMax text: String) -> Double? {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 2 else { return nil }
    return cpus(quota: String(words[0]), period: String(words[1]))
  }

  /// The CPUs that version 1's `cpu.cfs_quota_us` and `cpu.cfs_period_us` allow; a quota of −1 is
  /// no limit.
  public static func cpus(quota: String, period: String) -> Double? {
    guard let quota = Int(quota), let period = Int(period), quota > 0, period > 0 else {
      return nil
    }
    return Double(quota) / Double(period)
  }

  /// The bytes that the text of `memory.max` or `memory.limit_in_bytes` allows; "max", and what is
  /// beyond any machine (version 1 writes its largest page count), is no limit.
  public static func memoryBytes(_ text: String) -> Int? {
    guard let bytes = Int(text), bytes > 0, bytes < 1 << 60 else { return nil }
    return bytes
  }

  private static func cpuLimit(
    _ folder: String, _ membership: CgroupMembership, _ files: SystemFiles
  ) -> Double? {
    if membership.isUnified { return files.text(folder + "/cpu.max").flatMap(cpus(cpuMax:)) }
    guard membership.controllers.contains("cpu"),
      let quota = files.text(folder + "/cpu.cfs_quota_us"),
      let period = files.text(folder + "/cpu.cfs_period_us")
    else { return nil }
    return cpus(quota: quota, period: period)
  }

  private static func memoryLimit(
    _ folder: String, _ membership: CgroupMembership, _ files: SystemFiles
  ) -> Int? {
    guard membership.isUnified || membership.controllers.contains("memory") else { return nil }
    let name = membership.isUnified ? "/memory.max" : "/memory.limit_in_bytes"
    return files.text(folder + name).flatMap(memoryBytes(_:))
  }
}

/// A line of `/proc/PID/cgroup`: the group a process is in, in one hierarchy.
struct CgroupMembership {
  /// Controllers of a version 1 hierarchy; empty in version 2.
  let controllers: [Substring]
  let isUnified: Bool
  let path: Substring

  static func parse(_ text: String) -> [CgroupMembership] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      return CgroupMembership(
        controllers: fields[1].split(separator: ","),
        isUnified: fields[0] == "0" && fields[1].isEmpty, path: fields[2])
    }
  }
}

/// A line of `/proc/PID/mountinfo` that mounts a hierarchy of control groups.
struct CgroupMount {
  /// The group that is seen at `folder`.
  let root: String
  let folder: String
  let isUnified: Bool
  /// Options of the hierarchy, the controllers among them.
  let options: [Substring]

  static func parse(mountInfo text: String) -> [CgroupMount] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), dash > 5, fields.count > dash + 3,
        fields[dash + 1] == "cgroup" || fields[dash + 1] == "cgroup2"
      else { return nil }
      return CgroupMount(
        root: unescape(fields[3]), folder: unescape(fields[4]),
        isUnified: fields[dash + 1] == "cgroup2", options: fields[dash + 3].split(separator: ","))
    }
  }

  /// The folders of the group and of those around it, as far as this mount shows them.
  func folders(of membership: CgroupMembership) -> [String] {
    guard membership.isUnified == isUnified,
      isUnified || membership.controllers.contains(where: options.contains)
    else { return [] }
    var path = folder
    return [folder]
      + visiblePath(membership.path).map { name in
        path += "/" + name
        return path
      }
  }

  /// The group's path below `root`; empty when it lies outside of what is mounted.
  private func visiblePath(_ path: Substring) -> [Substring] {
    let names = path.split(separator: "/")
    let rootNames = root.split(separator: "/")
    guard !names.contains(".."), names.starts(with: rootNames) else { return [] }
    return Array(names.dropFirst(rootNames.count))
  }

  /// Undoes the octal escapes of `mountinfo` (`\040` is a space).
  private static func unescape(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(3), as: UTF8.self)
      if byte == UInt8(ascii: "\\"), digits.utf8.count == 3, let code = UInt8(digits, radix: 8) {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
