import ApusRuntime

/// Why an XLA device cannot be used.
public enum PluginError: Error, Hashable, Sendable {
  /// A name that means no device.
  case badDeviceName(String)
  /// No plugin for a platform, with every place where it was looked for.
  case notFound(platform: String, looked: [String])
  /// A file that cannot be read.
  case file(FileError)
  /// A file that is not a whole shared library for this machine; `reason` says what it lacks.
  case notALibrary(path: String, reason: String)
  /// A library that needs another one which the loader does not find.
  case missingLibrary(path: String, library: String)
  /// A library that the loader refuses, in its own words.
  case refusedByLoader(path: String, reason: String)
  /// A library that is no PJRT plugin; `reason` says what it lacks.
  case notAPlugin(path: String, reason: String)
  /// A plugin of an API that Apus does not speak.
  case wrongVersion(path: String, found: PluginVersion)
  /// Flags in the environment that would end the process inside the plugin, in its own words.
  case deadlyFlags(path: String, reason: String)
  /// A description of a device without a number that XLA divides by.
  case badTarget(missing: [String])
  /// A plugin for other devices than those asked for.
  case wrongPlatform(path: String, expected: String, found: String)
  /// A plugin without a device to use, in its own words.
  case noDevice(path: String, reason: String)
  /// A device number that does not exist.
  case noSuchDevice(DeviceName, count: Int)
  /// A plugin refused a call, in its own words.
  case refused(path: String, call: String, reason: String, hint: String?)
}

extension PluginError: CustomStringConvertible {
  public var description: String {
    hint.map { "\(fact)\n  hint: \($0)" } ?? fact
  }

  private var fact: String {
    switch self {
    case .badDeviceName(let text):
      "a device must be xla:PLATFORM or xla:PLATFORM:NUMBER, got \"\(text.printable)\""
    case .notFound(let platform, let looked):
      (["xla:\(platform): no PJRT plugin was found; looked for"]
        + looked.map { "  \($0.printable)" })
        .joined(separator: "\n")
    case .file(let error): error.description
    case .notALibrary(let path, let reason):
      "\(path.printable): a PJRT plugin must be a shared library, but \(reason)"
    case .missingLibrary(let path, let library):
      "\(path.printable): needs \(library.printable), which the loader does not find"
    case .refusedByLoader(let path, let reason):
      "\(path.printable): the loader refuses it: \(reason.printable)"
    case .notAPlugin(let path, let reason): "\(path.printable): is no PJRT plugin: \(reason)"
    case .wrongVersion(let path, let found):
      "\(path.printable): its PJRT API must be 0.x from \(PluginVersion.oldest) on, got \(found)"
    case .deadlyFlags(let path, let reason):
      "XLA_FLAGS: \(path.printable) would end the process: \(reason)"
    case .badTarget(let missing):
      "the description of a GPU must have a positive number for \(missing.joined(separator: ", "))"
    case .wrongPlatform(let path, let expected, let found):
      "xla:\(expected): \(path.printable) is a plugin for xla:\(found.printable)"
    case .noDevice(let path, let reason): "\(path.printable): finds no device: \(reason)"
    case .noSuchDevice(let name, let count):
      "\(name): there \(count == 1 ? "is 1 device" : "are \(count) devices"), numbered from 0"
    case .refused(let path, let call, let reason, _):
      "\(path.printable): \(call) failed: \(reason)"
    }
  }

  private var hint: String? {
    switch self {
    case .badDeviceName: "for instance xla:cpu, xla:cuda or xla:cuda:1"
    case .notFound(let platform, _): Self.remedy(platform: platform)
    case .file, .notAPlugin, .refusedByLoader, .noSuchDevice: nil
    case .notALibrary: "name the .so file of a plugin; if it is one, install it again"
    case .missingLibrary: "install it, or add its folder to LD_LIBRARY_PATH"
    case .wrongVersion(_, let found):
      found < .oldest ? "install a newer plugin" : "install a newer Apus or an older plugin"
    case .deadlyFlags: "correct or unset XLA_FLAGS"
    case .badTarget:
      "on such a GPU XLA writes gpu_target_config.pbtxt into the folder of --xla_dump_to"
    case .wrongPlatform(_, let expected, _):
      "ask for the other device, or point --plugin or APUS_PJRT_PLUGIN at one for xla:\(expected)"
    case .noDevice:
      "see whether nvidia-smi lists a GPU and CUDA_VISIBLE_DEVICES does not hide it; "
        + "xla:cpu needs none"
    case .refused(_, _, _, let hint): hint
    }
  }

  private static func remedy(platform: String) -> String {
    let package =
      switch platform {
      case "cpu": "`pip install xla-cpu-pjrt`"
      case "cuda": "`pip install \"jax[cuda13]\"`"
      default: "install one"
      }
    return "\(package) into the Python that is first on the PATH, or name the file "
      + "with --plugin or APUS_PJRT_PLUGIN"
  }
}
