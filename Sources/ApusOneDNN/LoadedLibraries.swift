import COneDNN

/// The C libraries that this process computes with.
public enum LoadedLibraries {
  /// The version of oneDNN and what it was built for, such as "3.2.1, OpenMP".
  public static var oneDNNVersion: String {
    guard let version = dnnl_version()?.pointee else { return "unknown" }
    return "\(version.major).\(version.minor).\(version.patch), "
      + runtime(version.cpu_runtime)
  }

  /// The files of shared libraries whose names begin with one of `names`, as they are mapped.
  ///
  /// - Parameter maps: a text such as that of `/proc/self/maps`.
  public static func files(of names: [String], inMaps maps: String) -> [String] {
    var files: [String] = []
    for line in maps.split(separator: "\n") {
      guard let slash = line.firstIndex(of: "/") else { continue }
      let file = String(line[slash...])
      let name = file.split(separator: "/").last ?? ""
      if names.contains(where: { name.hasPrefix($0 + ".so") || name.hasPrefix($0 + "-") }),
        !files.contains(file)
      {
        files.append(file)
      }
    }
    return files
  }

  private static func runtime(_ code: UInt32) -> String {
    switch code {
    case DNNL_RUNTIME_SEQ: "sequential"
    case DNNL_RUNTIME_OMP: "OpenMP"
    case DNNL_RUNTIME_TBB: "TBB"
    case DNNL_RUNTIME_THREADPOOL: "threadpool"
    default: "another runtime"
    }
  }
}
