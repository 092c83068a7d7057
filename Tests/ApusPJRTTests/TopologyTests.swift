import ApusIR
import ApusPJRT
import ApusRuntime
import ApusStableHLO
import ApusTestSupport
import Foundation
import Testing

/// The CUDA plugin, which compiles for a GPU that is not there.
enum CUDAPlugin {
  static let path =
    ProcessInfo.processInfo.environment["APUS_TEST_CUDA_PLUGIN"]
    ?? (try? PluginSearch(platform: "cuda").run())
  static let missing: Comment =
    "no CUDA plugin: looked for it in APUS_TEST_CUDA_PLUGIN and the Python on the PATH; see scripts/xla"
}

@Suite(
  "Compiling for a device that is not there",
  .enabled(if: CUDAPlugin.path != nil, CUDAPlugin.missing))
struct TopologyTests {
  private let plugin: Plugin

  init() throws { plugin = try Plugin.load(path: #require(CUDAPlugin.path)) }

  @Test("a convolution becomes one call of cuDNN")
  func convolution() throws {
    let topology = try Topology(plugin, target: CUDAPlugin.hopper)
    let text = """
      module { func.func public @main(
          %x: tensor<1x8x8x16xbf16>, %w: tensor<32x3x3x16xbf16>) -> tensor<1x8x8x32xbf16> {
        %y = stablehlo.convolution(%x, %w) dim_numbers = [b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f],
          window = {stride = [1, 1], pad = [[1, 1], [1, 1]]}
          {batch_group_count = 1 : i64, feature_group_count = 1 : i64}
          : (tensor<1x8x8x16xbf16>, tensor<32x3x3x16xbf16>) -> tensor<1x8x8x32xbf16>
        return %y : tensor<1x8x8x32xbf16>
      } }
      """
    let nhwc = [0, 2, 3, 1]
    let module = StableHLOModule(
      text: text,
      inputs: [
        PhysicalType(TensorType(.bfloat16, [1, 16, 8, 8]), order: nhwc),
        PhysicalType(TensorType(.bfloat16, [32, 16, 3, 3]), order: nhwc),
      ], outputs: [PhysicalType(TensorType(.bfloat16, [1, 32, 8, 8]), order: nhwc)])
    let executable = try topology.compile(module)
    let program = try executable.optimizedProgram()
    let calls = program.computations.flatMap(\.instructions).compactMap(\.callTarget)
    #expect(calls.count == 1 && calls[0].hasPrefix("__cudnn$conv"), "\(program)")
    let memory = try #require(try executable.memory())
    #expect(memory.arguments == 2 * (8 * 8 * 16 + 32 * 9 * 16))
    #expect(memory.results >= 2 * 8 * 8 * 32)
    #expect(try #require(try executable.serialized()).count > 1000)
  }

  @Test("flags are checked for it too")
  func flags() throws {
    let topology = try Topology(plugin, target: CUDAPlugin.hopper)
    let module = StableHLOModule.squareAndAdd(64)
    _ = try topology.compile(module, CompileOptions(flags: ["xla_gpu_autotune_level": .int64(0)]))
    #expect {
      try topology.compile(module, CompileOptions(flags: ["xla_gpu_foo": .bool(true)]))
    } throws: { "\($0)".contains("No such compile option: 'xla_gpu_foo'") }
  }

  @Test("flags of the environment are tried without a GPU too")
  func environment() throws {
    // It must not have been used before, so it is a copy.
    let folder = try TemporaryFolder()
    let path = folder.path + "/copy.so"
    try FileManager.default.copyItem(atPath: plugin.path, toPath: path)
    let copy = try Plugin.load(path: path)
    try copy.require(Trial(target: CUDAPlugin.hopper, flags: "--xla_gpu_autotune_level=0"))
    #expect {
      try copy.require(Trial(target: CUDAPlugin.hopper, flags: "--xla_foo=1"))
    } throws: { "\($0)".contains("Unknown flag in XLA_FLAGS: --xla_foo=1") }
  }

  @Test("descriptions that XLA would die of are refused")
  func badTargets() throws {
    let lacking = CUDAPlugin.hopper.replacing("threads_per_warp: 32", with: "threads_per_warp: 0")
      .replacing("core_count: 132", with: "")
    #expect(throws: PluginError.badTarget(missing: ["threads_per_warp", "core_count"])) {
      try Topology(plugin, target: lacking)
    }
    #expect(throws: PluginError.self) { try Topology(plugin, target: "platform_name: \"CUDA\"") }
    #expect {
      try Topology(plugin, target: CUDAPlugin.hopper + "\nnonsense: 3")
    } throws: { error in
      guard case .refused = error as? PluginError else { return false }
      return true
    }
  }

  @Test("a plugin without a GPU has no client", .enabled(if: access("/dev/nvidia0", F_OK) != 0))
  func noGPU() throws {
    #expect {
      try Client(plugin)
    } throws: { error in
      guard case .noDevice = error as? PluginError else { return false }
      return "\(error)".contains("No visible GPU devices") && "\(error)".contains("nvidia-smi")
    }
  }
}

extension CUDAPlugin {
  /// A GPU of the Hopper generation, no particular one.
  static let hopper = """
    gpu_device_info {
      threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
      shared_memory_per_core: 233472 threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
      block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
      memory_bandwidth: 4800000000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98
      device_memory_size: 151397597184 shared_memory_per_block_optin: 232448
      cuda_compute_capability { major: 9 feature_extension: ACCELERATED_FEATURES }
      registers_per_core_limit: 65536 registers_per_block_limit: 65536
      thread_dim_limit_x: 1024 thread_dim_limit_y: 1024 thread_dim_limit_z: 64
      device_vendor: "NVIDIA Corporation" platform_version: "Compute Capability 9.0a"
      driver_version: "13.0.0" runtime_version: "12.8.0" compile_time_toolkit_version: "12.8.0"
      dnn_version: "9.10.0"
    }
    platform_name: "CUDA"
    dnn_version_info { major: 9 minor: 10 patch: 0 }
    device_description_str: "a GPU of the Hopper generation"
    """
}
