import Foundation

/// NVIDIA's libraries, which the CUDA plugin opens by name when it first needs them.
///
/// Those that pip installed beside the plugin it finds by itself. Where they lie elsewhere, it
/// takes what is loaded already.
enum CUDALibraries {
  /// In the order in which they need each other; the version belongs to CUDA 13.
  private static let names = [
    "libcudart.so.13", "libnvrtc.so.13", "libcublasLt.so.13", "libcublas.so.13", "libnccl.so.2",
    "libcupti.so.13", "libnvJitLink.so.13", "libcusparse.so.12", "libcusolver.so.12",
    "libcufft.so.12", "libnvshmem_host.so.3", "libcudnn.so.9",
  ]

  /// Loads the libraries that a CUDA plugin would not find, from where a toolkit or another Python
  /// has them. What cannot be found is left for the plugin to complain about.
  static func load(besides plugin: String) {
    guard plugin.hasSuffix("/xla_cuda_plugin.so") else { return }
    let own = ownFolders(plugin)
    for name in names where !own.contains(where: { exists("\($0)/\(name)") }) {
      // The loader's own search comes first: LD_LIBRARY_PATH and the system's folders.
      if dlopen(name, RTLD_LAZY | RTLD_GLOBAL) != nil { continue }
      if let folder = otherFolders.first(where: { exists("\($0)/\(name)") }) {
        _ = dlopen("\(folder)/\(name)", RTLD_LAZY | RTLD_GLOBAL)
      }
    }
  }

  /// Where the plugin's own search path leads: the packages installed beside it.
  private static func ownFolders(_ plugin: String) -> [String] {
    let packages = URL(fileURLWithPath: plugin).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
    return ["cu13", "cudnn", "nccl"].map { "\(packages)/nvidia/\($0)/lib" }
  }

  /// Toolkits, and the packages of any Python of the machine.
  private static let otherFolders =
    ["/usr/local/cuda-13/lib64", "/usr/local/cuda/lib64", "/opt/cuda/lib64"]
    + PluginSearch.usualFolders.flatMap { files(matching: $0 + "/nvidia/*/lib") }

  private static func exists(_ path: String) -> Bool { access(path, R_OK) == 0 }
}
