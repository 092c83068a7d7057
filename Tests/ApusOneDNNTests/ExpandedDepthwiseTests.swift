import ApusIR
import ApusOneDNN
import ApusPlan
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("1×1 and depthwise convolutions in one step")
struct ExpandedDepthwiseTests {
  private static let layouts: [Layout] = [.any, .channelsLast, .blocked(8), .blocked(16)]

  /// An inverted residual: narrow images, expanded, filtered and projected.
  private func block(
    _ shape: Shape, channels: Int, kernel: Int, stride: Int, _ activation: Activation?,
    padding: Padding2D? = nil
  ) throws -> Graph {
    try trace { scope in
      func convolve(
        _ name: String, _ x: Tensor, _ outputs: Int, _ convolution: Convolution = Convolution(),
        kernel: Int = 1
      ) throws -> Tensor {
        let filter = scope.parameter(
          name, [outputs, x.shape[1] / convolution.groups, kernel, kernel], .heNormal)
        let bias = scope.parameter(name + ".bias", [outputs], .zeros)
        return try ApusTensor.convolution(x, filter, bias: bias, convolution)
      }
      func activated(_ x: Tensor) throws -> Tensor {
        guard let activation else { return x }
        return try x.activated(activation)
      }
      let x = try convolve("narrow", scope.argument("x", .float32, shape), shape[1])
      let expanded = try activated(convolve("expand", x, channels))
      let padding = padding ?? Padding2D(kernel / 2)
      let deep = try convolve(
        "deep", expanded, channels,
        Convolution(stride: Size2D(stride), padding: padding, groups: channels), kernel: kernel)
      let y = try convolve("project", activated(deep), shape[1])
      return ["y": stride == 1 && padding == Padding2D(kernel / 2) ? try y + x : y]
    }
  }

  private func plan(_ graph: Graph, _ images: Layout, _ backend: OneDNNBackend) throws -> String {
    var backend = backend
    backend.images = images
    return try backend.planDescription(of: graph)
  }

  @Test("equal the reference in every layout", arguments: [1, 2, 3], layouts)
  func results(threads: Int, images: Layout) throws {
    for (channels, kernel, stride) in [(96, 3, 1), (96, 5, 2), (72, 5, 1), (40, 3, 2)] {
      let seed = UInt64.random(in: 0 ... .max)
      let padding = stride == 2 ? Padding2D(top: 0, left: 1, bottom: kernel - 1, right: 2) : nil
      let graph = try block(
        [threads, 24, 13, 17], channels: channels, kernel: kernel, stride: stride, .relu6,
        padding: padding)
      let values = randomInputs(graph, seed: seed)
      var backend = OneDNNBackend(threads: threads)
      backend.images = images
      let (program, inputs) = try compile(graph, values, backend)
      let results = try program.makeExecution().run(inputs)
      let tolerance = Tolerance(relative: 1e-4, absolute: 2e-5)
      let wrong = try difference(results[0], from: graph.evaluate(values)[0], within: tolerance)
      #expect(wrong == nil, "seed \(seed), \(channels), \(kernel), \(stride)")
    }
  }

  @Test("are one step with whatever activations the kernel has")
  func fused() throws {
    for activation in [Activation?.none, .relu, .hardSwish, .mish] {
      let graph = try block([2, 16, 12, 12], channels: 64, kernel: 3, stride: 1, activation)
      let name = activation.map { "+\($0.name)" } ?? ""
      let fused = try Self.layouts.map { images in
        try plan(graph, images, OneDNNBackend(threads: 2))
          .contains(" = convolution\(name)+depthwise\(name)(")
      }
      // Only the blocks that are vectors of this processor.
      #expect(fused[0] && fused[1] && fused[2] != fused[3], "\(name): \(fused)")
    }
  }

  @Test("stay apart in eager runs and with activations that the kernel has not")
  func apart() throws {
    let graph = try block([2, 16, 12, 12], channels: 64, kernel: 3, stride: 1, .relu)
    let eager = try OneDNNBackend(.eager, threads: 2).planDescription(of: graph)
    #expect(!eager.contains("depthwise+"))
    let tanh = try block([2, 16, 12, 12], channels: 64, kernel: 3, stride: 1, .tanh)
    let plan = try plan(tanh, .blocked(16), OneDNNBackend(threads: 2))
    #expect(!plan.contains("+depthwise"))
  }
}
