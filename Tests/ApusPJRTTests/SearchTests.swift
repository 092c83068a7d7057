import ApusPJRT
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

@Suite("Looking for a plugin")
struct SearchTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func touch(_ name: String) throws -> String {
    let path = folder.path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data("x".utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// A program called `python3` that knows one folder of packages.
  private func makePython(_ name: String, packages: String) throws -> String {
    let python = try touch(name + "/bin/python3")
    // The last argument is the package asked for, as for the script that it does not run.
    try "#!/bin/sh\nfor last; do :; done\n[ -d '\(packages)'/$last ] && echo '\(packages)'/$last\n"
      .write(toFile: python, atomically: false, encoding: .utf8)
    chmod(python, 0o755)
    return folder.path + "/" + name
  }

  private func search(
    _ environment: [String: String] = [:], platform: String = "cuda", file: String? = nil,
    folders: [String] = []
  ) throws(PluginError) -> String {
    try PluginSearch(platform: platform, file: file, environment: environment, folders: folders)
      .run()
  }

  @Test("a file that is named comes first, then APUS_PJRT_PLUGIN, then Python's packages")
  func order() throws {
    let named = try touch("named.so")
    let variable = try touch("variable.so")
    let installed = try touch("site/jax_plugins/xla_cuda13/xla_cuda_plugin.so")
    let python = try makePython("python", packages: folder.path + "/site")
    let environment = ["APUS_PJRT_PLUGIN": variable, "PATH": "/nowhere:\(python)/bin"]
    #expect(try search(environment, file: named) == named)
    #expect(try search(environment) == variable)
    #expect(try search(["PATH": "/nowhere:\(python)/bin"]) == installed)
    #expect(try search(["PATH": "\(python)/bin", "APUS_PJRT_PLUGIN": ""]) == installed)
  }

  @Test("the Python of an active environment and the usual folders come after that of the PATH")
  func pythons() throws {
    let first = try makePython("first", packages: folder.path + "/one")
    let active = try makePython("active", packages: folder.path + "/two")
    let environment = ["PATH": "\(first)/bin", "VIRTUAL_ENV": active]
    let folders = [folder.path + "/lib/python3*/site-packages"]
    let usual = try touch("lib/python3.12/site-packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so")
    #expect(try search(environment, folders: folders) == usual)
    let two = try touch("two/jax_plugins/xla_cuda12/xla_cuda_plugin.so")
    #expect(try search(environment, folders: folders) == two)
    let one = try touch("one/jax_plugins/xla_cuda12/xla_cuda_plugin.so")
    #expect(try search(environment, folders: folders) == one)
    // Of several versions the newest is taken, by number.
    _ = try touch("one/jax_plugins/xla_cuda9/xla_cuda_plugin.so")
    let newest = try touch("one/jax_plugins/xla_cuda13/xla_cuda_plugin.so")
    #expect(try search(environment, folders: folders) == newest)
  }

  @Test("a named file that does not exist is an error, and no other is taken for it")
  func missingFile() throws {
    let nowhere = folder.path + "/nowhere.so"
    let error = PluginError.file(FileError(path: nowhere, operation: .open, code: ENOENT))
    let variable = try touch("variable.so")
    #expect(throws: error) { try search(["APUS_PJRT_PLUGIN": variable], file: nowhere) }
    #expect(throws: error) { try search(["APUS_PJRT_PLUGIN": nowhere]) }
  }

  @Test("where nothing is found, every place is listed, with what to do")
  func notFound() throws {
    let python = try makePython("python", packages: folder.path + "/site")
    let root = folder.path
    #expect {
      try search(
        ["PATH": "\(python)/bin"], platform: "cpu", folders: ["\(root)/lib/python3*/x"])
    } throws: { error in
      "\(error)" == """
        xla:cpu: no PJRT plugin was found; looked for
          APUS_PJRT_PLUGIN (not set)
          xla_cpu_pjrt/xla_cpu_pjrt.so of \(root)/python/bin/python3: has no package xla_plugins
          \(root)/lib/python3*/x/xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so
          hint: `pip install xla-cpu-pjrt` into the Python that is first on the PATH, or name the \
        file with --plugin or APUS_PJRT_PLUGIN
        """
    }
    #expect {
      try search()
    } throws: { "\($0)".contains("hint: `pip install \"jax[cuda13]\"` into the Python") }
    #expect {
      try search(["PATH": "\(python)/bin"], platform: "rocm")
    } throws: { error in
      "\(error)".hasPrefix("xla:rocm: no PJRT plugin was found; looked for\n  APUS_PJRT_PLUGIN")
        && "\(error)".contains("hint: install one")
    }
  }

  @Test("a Python that fails or never answers is passed over")
  func brokenPython() throws {
    let python = try touch("broken/bin/python3")
    try "#!/bin/sh\necho /nonsense; exit 1\n"
      .write(toFile: python, atomically: false, encoding: .utf8)
    chmod(python, 0o755)
    let usual = try touch("lib/jax_plugins/xla_cuda13/xla_cuda_plugin.so")
    let environment = ["PATH": "\(folder.path)/broken/bin"]
    #expect(try search(environment, folders: [folder.path + "/lib"]) == usual)
    try "no program".write(toFile: python, atomically: false, encoding: .utf8)
    #expect(try search(environment, folders: [folder.path + "/lib"]) == usual)
  }

  @Test(
    "the real Python is asked without importing anything",
    .enabled(if: TestPlugin.isFound, TestPlugin.missing))
  func realPython() throws {
    let path = try TestPlugin.path.get()
    #expect(path.hasSuffix("/xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"))
    // A package of that name in the working folder is not it.
    let trap = try touch("trap/xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so")
    let found = try search(ProcessInfo.processInfo.environment, platform: "cpu")
    #expect(found != trap && found == path)
  }
}
