import ApusIR
import ApusOneDNN
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Profiles")
struct ProfilerTests {
  @Test("of every run have each step in order, within the run", arguments: modes)
  func times(mode: OneDNNBackend.Mode) throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 16, 12, 10])
      let filter = scope.parameter("filter", [32, 16, 3, 3], .heNormal)
      let y = try convolution(x, filter, Convolution(padding: Padding2D(1)))
      return ["y": try y.activated(.relu)]
    }
    let values = randomInputs(graph, seed: .random(in: 0 ... .max))
    var store = ParameterStore()
    for ((input, _), value) in zip(graph.inputs, values) {
      if let path = input.path { store[path] = value }
    }
    let profiler = try OneDNNBackend(mode, threads: 1)
      .profiler(for: graph, PreparedParameters(store))
    let convolutions = profiler.steps.filter { $0.kind == .convolution }
    #expect(convolutions.map(\.macs) == [2 * 32 * 12 * 10 * 16 * 9])
    #expect(convolutions[0].name == (mode == .eager ? "convolution" : "convolution+relu"))
    #expect(!convolutions[0].implementation.isEmpty)
    #expect(convolutions[0].results.map(\.shape) == [[2, 32, 12, 10]])
    #expect(profiler.inputs.map(\.name) == ["x"])
    for _ in 0..<3 {
      let times = try profiler.run([.host(values[0])])
      #expect(times.microBatches.map(\.count) == [profiler.steps.count])
      var last = times.run.lowerBound
      for step in times.microBatches.joined() {
        #expect(step.lowerBound >= last)
        last = step.upperBound
      }
      #expect(last <= times.run.upperBound && times.overhead >= 0)
    }
  }

  @Test("name the steps that the reference runs")
  func reference() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3, 5])
      return ["y": try x.padded(low: [1, 0], high: [0, 2])]
    }
    let profiler = try OneDNNBackend(threads: 1).profiler(
      for: graph, PreparedParameters(ParameterStore()))
    #expect(profiler.steps.map(\.implementation) == ["reference"])
    #expect(profiler.steps.map(\.bytes) == [4 * (15 + 28)])
  }

  @Test("hold steps against peaks that a machine can have")
  func peaks() throws {
    let peaks = try MachinePeaks.measure(threads: 1)
    #expect(peaks.flopsPerSecond > 1e9 && peaks.flopsPerSecond < 1e12)
    #expect(peaks.readBytesPerSecond > 1e8 && peaks.copyBytesPerSecond > 1e8)
    #expect(peaks.cacheBytesPerSecond > 1e9 && peaks.cacheBytesPerSecond < 1e13)
    #expect(peaks.cacheSizeInBytes >= 256 << 10)
    let large = peaks.cacheSizeInBytes + 1
    #expect(peaks.bytesPerSecond(for: large) == peaks.memoryBytesPerSecond)
    let seconds = peaks.leastSeconds(flops: 2 * peaks.flopsPerSecond, sizeInBytes: large)
    #expect(abs(seconds - 2) < 1e-9)
  }
}
