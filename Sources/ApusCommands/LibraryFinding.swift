import ApusBench
import ApusOneDNN
import ApusPJRT
import Foundation

/// A library that Apus, or a peer, computes with.
struct LibraryFinding: Encodable {
  let name: String
  /// Nil where it was not found.
  var version: String?
  var path: String?
  /// What to do about it.
  var advice: String?

  /// Those of this process, then those of the peers' Python.
  static func all() -> [LibraryFinding] { loaded() + peers() }

  /// A line for each that was found, and one with the others.
  static func lines(_ findings: [LibraryFinding]) -> [String] {
    let (found, missing) = (findings.filter(\.isFound), findings.filter { !$0.isFound })
    let lines = found.map {
      "\($0.name) \([$0.version, $0.path].compactMap(\.self).joined(separator: ", "))"
    }
    return missing.isEmpty
      ? lines : lines + ["not found: \(missing.map(\.name).joined(separator: ", "))"]
  }

  private var isFound: Bool { version != nil || path?.isEmpty == false }

  private static func loaded() -> [LibraryFinding] {
    let maps = SystemFiles.live.text("/proc/self/maps") ?? ""
    func finding(_ name: String, _ file: String, version: String? = nil) -> LibraryFinding {
      // The mapped file is the one that the links lead to: its name ends with its version.
      let path = LoadedLibraries.files(of: [file], inMaps: maps).first
      return LibraryFinding(name: name, version: version, path: path)
    }
    return [
      finding("oneDNN", "libdnnl", version: LoadedLibraries.oneDNNVersion), openMP(maps),
      finding("libjpeg-turbo", "libturbojpeg"), finding("libpng", "libpng16"),
      finding("libwebp", "libwebp"),
    ]
  }

  /// Two runtimes of OpenMP in a process keep a team of threads each, which compete.
  private static func openMP(_ maps: String) -> LibraryFinding {
    let files = LoadedLibraries.files(of: ["libgomp", "libiomp5", "libomp"], inMaps: maps)
    var finding = LibraryFinding(name: "OpenMP", path: files.joined(separator: ", "))
    if files.count > 1 {
      finding.advice =
        "\(files.count) OpenMP runtimes are loaded, whose threads compete: "
        + "ldd $(command -v apus) says who brings which"
    }
    return finding
  }

  private static let packages = [
    "torch", "torchvision", "timm", "openvino", "onnxruntime", "jax", "flax", "vl-convert-python",
  ]

  /// The packages of the Python that `scripts/peers` makes, or else of the one on the PATH.
  private static func peers() -> [LibraryFinding] {
    let environment = ProcessInfo.processInfo.environment
    guard let python = python(environment) else {
      return [
        LibraryFinding(
          name: "Python",
          advice: "python3 was not found, which peers and plots need: "
            + "apt-get install python3 python3-venv")
      ]
    }
    let program = """
      import sys
      from importlib import metadata
      print(sys.version.split()[0])
      for name in sys.argv[1:]:
          try: print(name, metadata.version(name))
          except metadata.PackageNotFoundError: pass
      """
    let output = ChildOutput.of(
      [python, "-I", "-c", program] + packages, environment: environment, seconds: 20)
    let lines = (output ?? "").split(separator: "\n").map(String.init)
    let versions = Dictionary(
      lines.dropFirst().map { line in
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        return (words[0], words.last)
      }, uniquingKeysWith: { first, _ in first })
    var findings = [LibraryFinding(name: "Python", version: lines.first, path: python)]
    findings += packages.map { LibraryFinding(name: $0, version: versions[$0] ?? nil) }
    if versions.count < packages.count {
      findings[0].advice =
        "\(packages.count - versions.count) of the peers' packages are missing: scripts/peers"
    }
    return findings
  }

  private static func python(_ environment: [String: String]) -> String? {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let checkout = program.range(of: "/.build/").map { String(program[..<$0.lowerBound]) }
    let roots = [FileManager.default.currentDirectoryPath, checkout].compactMap(\.self)
    let path = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/python3" }
    return (roots.map { "\($0)/.venv-peers/bin/python" } + path).first { access($0, X_OK) == 0 }
  }
}
