import ApusRuntime
import Foundation

/// Where the plugin of a platform is looked for: the file a user names, `APUS_PJRT_PLUGIN`, then
/// the packages of Python.
public struct PluginSearch: Hashable, Sendable {
  public let platform: String
  /// The file named on the command line.
  public let file: String?
  private let environment: [String: String]
  private let folders: [String]

  public init(platform: String, file: String? = nil) {
    self.init(
      platform: platform, file: file, environment: ProcessInfo.processInfo.environment,
      folders: Self.usualFolders)
  }

  /// - Parameters:
  ///   - environment: instead of the process's.
  ///   - folders: globs of `site-packages` folders that no Python on the PATH need know.
  package init(
    platform: String, file: String?, environment: [String: String], folders: [String]
  ) {
    self.platform = platform
    self.file = file
    self.environment = environment
    self.folders = folders
  }

  /// The plugin's file.
  ///
  /// - Throws: `notFound` with every place where it was looked for; `file` where a named one does
  ///   not exist: then no other is taken for it.
  public func run() throws(PluginError) -> String {
    if let named = file ?? variable("APUS_PJRT_PLUGIN") {
      guard access(named, R_OK) == 0 else {
        throw .file(FileError(path: named, operation: .open, code: errno))
      }
      return named
    }
    var looked = ["APUS_PJRT_PLUGIN (not set)"]
    guard let package = Package(platform: platform) else {
      throw .notFound(platform: platform, looked: looked)
    }
    for python in pythons {
      let roots = package.roots(python: python, environment)
      if let found = package.newest(in: roots) { return found }
      let answer = roots.isEmpty ? "has no package \(package.root)" : roots.joined(separator: ", ")
      looked.append("\(package.pattern) of \(python): \(answer)")
    }
    for folder in folders.map(expanded) {
      let root = folder + "/" + package.root
      if let found = package.newest(in: files(matching: root)) { return found }
      looked.append("\(root)/\(package.pattern)")
    }
    throw .notFound(platform: platform, looked: looked)
  }

  /// The first Python of the PATH, and that of an environment which is active beside it.
  private var pythons: [String] {
    let active = variable("VIRTUAL_ENV").map { $0 + "/bin/python3" }
    let path = (variable("PATH") ?? "").split(separator: ":").map { "\($0)/python3" }
    var found: [String] = []
    let first = path.first { access($0, X_OK) == 0 }
    for python in [first, active].compactMap(\.self)
    where access(python, X_OK) == 0 && !found.contains(python) { found.append(python) }
    return found
  }

  private func variable(_ name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private func expanded(_ folder: String) -> String {
    folder.replacing("~", with: variable("HOME") ?? "/root", maxReplacements: 1)
  }

  /// Where packages lie that were installed for a user or the machine, or in an image.
  static let usualFolders = [
    "~/.local/lib/python3*/site-packages", "/usr/local/lib/python3*/*-packages",
    "/usr/lib/python3/dist-packages", "/opt/*/lib/python3*/site-packages",
    "/opt/*/.venv/lib/python3*/site-packages",
  ]
}

/// The Python package that a platform's plugin comes in.
private struct Package {
  /// The namespace package that holds it.
  let root: String
  /// The plugin's file below that.
  let pattern: String

  init?(platform: String) {
    switch platform {
    case "cpu": (root, pattern) = ("xla_plugins", "xla_cpu_pjrt/xla_cpu_pjrt.so")
    case "cuda": (root, pattern) = ("jax_plugins", "xla_cuda*/xla_cuda_plugin.so")
    default: return nil
    }
  }

  /// The folders that a Python would import the namespace package from; nothing is imported.
  func roots(python: String, _ environment: [String: String]) -> [String] {
    // The working folder is no place to load a library from, though Python looks there first.
    let script = """
      import sys, importlib.util
      sys.path = [p for p in sys.path if p]
      spec = importlib.util.find_spec(sys.argv[1])
      for folder in spec.submodule_search_locations if spec else []: print(folder)
      """
    let output = ChildOutput.of(
      [python, "-c", script, root], environment: environment, seconds: 20)
    return (output ?? "").split(separator: "\n").map(String.init)
  }

  /// The plugin for the newest version of the platform's libraries.
  func newest(in roots: [String]) -> String? {
    for root in roots {
      let versions = files(matching: root + "/" + pattern)
      let newest = versions.max { $0.compare($1, options: .numeric) == .orderedAscending }
      if let newest { return newest }
    }
    return nil
  }
}

/// The files that match a shell's pattern, sorted.
func files(matching pattern: String) -> [String] {
  var result = glob_t()
  defer { globfree(&result) }
  guard glob(pattern, 0, nil, &result) == 0 else { return [] }
  return (0..<Int(result.gl_pathc)).compactMap { index in
    result.gl_pathv[index].map { String(cString: $0) }
  }
}
