import ApusIR
import ApusRuntime
import ApusTensor
import Testing

@Suite("Random numbers")
struct RandomSourceTests {
  @Test("are those of an independent computation in Python")
  func knownValues() {
    var source = RandomSource(seed: 0)
    #expect(
      (0..<3).map { _ in source.next() } == [
        0x21fa_69a5_8f3d_62f5, 0xbc78_bed6_e022_d134, 0xb42a_8fa9_6d1c_00b4,
      ])
    var stream = RandomSource(seed: 7, stream: "layer1.0.conv1.weight")
    #expect(
      (0..<3).map { _ in stream.next() } == [
        0xb3db_e9dd_988d_00bc, 0xd1a9_c834_e9f8_d818, 0x6ca1_3397_ab0b_b6eb,
      ])
  }

  @Test("differ by seed and by stream")
  func streams() {
    var seen: Set<UInt64> = []
    for seed in 0..<20 as Range<UInt64> {
      for stream in ["", "a", "b", "ab", "ba", "a.weight", "a.bias"] {
        var source = RandomSource(seed: seed, stream: stream)
        for _ in 0..<10 { seen.insert(source.next()) }
      }
    }
    #expect(seen.count == 20 * 7 * 10)
  }

  @Test("have the mean, variance and range of their distributions")
  func distributions() {
    var source = RandomSource(seed: 11)
    let shape: Shape = [100_001]
    func moments(_ distribution: Distribution) -> (mean: Float, variance: Float, values: [Float]) {
      let values = source.tensor(distribution, TensorType(.float32, shape)).floats
      let mean = values.reduce(0, +) / Float(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)
      return (mean, variance, values)
    }
    let normal = moments(.normal)
    #expect(normal.mean.magnitude < 0.02 && (normal.variance - 1).magnitude < 0.03)
    #expect(normal.values.allSatisfy(\.isFinite) && normal.values.contains { $0 > 3 })
    let within = normal.values.count { $0.magnitude < 1 }
    #expect((Float(within) / 100_001 - 0.6827).magnitude < 0.01)
    let uniform = moments(.uniform)
    #expect((uniform.mean - 0.5).magnitude < 0.01 && (uniform.variance - 1 / 12).magnitude < 0.01)
    #expect(uniform.values.allSatisfy { (0..<1).contains($0) })
    let mask = moments(.bernoulli(0.3))
    #expect((mask.mean - 0.3).magnitude < 0.01 && Set(mask.values) == [0, 1])
    #expect(Set(moments(.bernoulli(0)).values) == [0])
    #expect(Set(moments(.bernoulli(1)).values) == [1])
    #expect(source.normals(0).isEmpty && source.normals(1).count == 1)
  }

  @Test("come in every element type", arguments: DType.allCases)
  func elementTypes(dtype: DType) {
    var source = RandomSource(seed: 3)
    let tensor = source.tensor(.bernoulli(0.5), TensorType(dtype, [64]))
    #expect(tensor.dtype == dtype)
    #expect(Set(tensor.doubles) == [0, 1])
  }

  @Test("fill a graph's parameters by their initialisers, each with a stream of its own")
  func initialisers() throws {
    let graph = try trace { scope in
      let conv = scope.parameter("conv", [64, 32, 3, 3], .heNormal)
      _ = scope.parameter("depthwise", [640, 1, 5, 5], .groupedHeNormal(640))
      _ = scope.parameter("half", [8, 8], .heNormal, dtype: .float16)
      _ = scope.parameter("bias", [1000], .uniformFanIn(25))
      _ = scope.parameter("ones", [3], .ones)
      _ = scope.state("zeros", [3], .zeros)
      _ = scope.argument("x", .float32, [1])
      return ["y": conv]
    }
    let store = ParameterStore(initializing: graph, seed: 5)
    #expect(store.paths == ["conv", "depthwise", "half", "bias", "ones", "zeros"])
    func variance(_ path: String) throws -> Float {
      let values = try #require(store[path]?.floats)
      return values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
    }
    #expect(try (variance("conv") / (2 / Float(64 * 9)) - 1).magnitude < 0.05)
    #expect(try (variance("depthwise") / (2 / Float(25)) - 1).magnitude < 0.05)
    #expect(store["half"]?.type == TensorType(.float16, [8, 8]))
    let bias = try #require(store["bias"]?.floats)
    #expect(bias.allSatisfy { $0.magnitude <= 0.2 } && bias.contains { $0 > 0.19 })
    #expect(bias.contains { $0 < -0.19 })
    #expect(store["ones"]?.floats == [1, 1, 1])
    #expect(store["zeros"]?.floats == [0, 0, 0])

    let single = try trace { scope in ["y": scope.parameter("bias", [1000], .uniformFanIn(25))] }
    #expect(ParameterStore(initializing: single, seed: 5)["bias"]?.floats == bias)
    #expect(ParameterStore(initializing: single, seed: 6)["bias"]?.floats != bias)
    var partial = ParameterStore()
    partial["ones"] = HostTensor([3], [7, 8, 9])
    partial.fill(from: graph, seed: 5)
    #expect(partial["ones"]?.floats == [7, 8, 9])
    #expect(partial["bias"]?.floats == bias)
  }
}

@Suite("Available memory")
struct HostMemoryTests {
  @Test(
    "is read from /proc/meminfo",
    arguments: [
      ("MemTotal: 100 kB\nMemAvailable:    2048 kB\n", 2048 * 1024), ("MemTotal: 100 kB", nil),
      ("MemAvailable: kB", nil), ("MemAvailable: -5 kB", nil), ("", nil),
      ("MemAvailable: 9223372036854775807 kB", nil), ("NotMemAvailable: 5 kB", nil),
    ])
  func meminfo(text: String, expected: Int?) {
    #expect(HostMemory.available(inMeminfo: text) == expected)
  }

  @Test("is what the control group leaves, where cached files do not count")
  func controlGroup() {
    let statistics = "anon 5\ninactive_file 300\nactive_file 20\n"
    func available(_ limit: String?, _ current: String?, _ statistics: String?) -> Int? {
      HostMemory.available(limit: limit, current: current, statistics: statistics)
    }
    #expect(available("1000\n", "600\n", statistics) == 700)
    #expect(available("1000\n", "600\n", nil) == 400)
    #expect(available("1000\n", "200\n", statistics) == 1000)
    #expect(available("500", "900", "inactive_file x") == 0)
    #expect(available("max\n", "600\n", statistics) == nil)
    #expect(available("1000", nil, statistics) == nil)
    #expect(available("-1", "600", statistics) == nil)
  }

  @Test("is enough for little and not for everything")
  func require() throws {
    let available = try #require(HostMemory.availableSizeInBytes)
    #expect(available > 0)
    try HostMemory.require(1)
    #expect(throws: BackendError.outOfMemory(sizeInBytes: Int.max)) {
      try HostMemory.require(Int.max)
    }
  }
}
