import ApusIR
import ApusOneDNN
import ApusReference
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Squeeze-excitation on oneDNN and our kernels")
struct SqueezeExcitationTests {
  /// What else reads the values in between.
  enum Reader: CaseIterable {
    case none, ofScaled, ofImage, ofMean
  }

  /// A depthwise convolution, its squeeze-excitation, a projection and a shortcut.
  private func block(
    _ shape: Shape, kernel: Int = 3, stride: Int = 1, _ activation: Activation = .swish,
    reader: Reader = .none
  ) throws -> Graph {
    try trace { scope in
      let x = scope.argument("x", .float32, shape)
      let channels = shape[1]
      func convolve(
        _ name: String, _ x: Tensor, _ outputs: Int, _ convolution: Convolution, kernel: Int = 1
      ) throws -> Tensor {
        let filter = scope.parameter(
          name, [outputs, x.shape[1] / convolution.groups, kernel, kernel], .heNormal)
        let bias = scope.parameter(name + ".bias", [outputs], .zeros)
        return try ApusTensor.convolution(x, filter, bias: bias, convolution)
      }
      let expanded = try convolve("expand", x, channels, Convolution()).activated(activation)
      let deep = try convolve(
        "deep", expanded, channels,
        Convolution(
          stride: Size2D(stride), padding: Padding2D(kernel / 2), groups: channels),
        kernel: kernel
      ).activated(activation)
      let mean = try deep.mean(2, 3)
      let squeezed = try mean.reshaped(to: [shape[0], channels, 1, 1])
      let reduced = try convolve("reduce", squeezed, 5, Convolution()).activated(activation)
      let gate = try sigmoid(convolve("gate", reduced, channels, Convolution()))
      let scaled = try deep * gate.broadcast(to: deep.shape)
      var y = try convolve("project", scaled, channels, Convolution())
      if stride == 1 { y = try y + x }
      y = try y.activated(activation)
      let other =
        switch reader {
        case .none: y
        case .ofScaled: try tanh(scaled)
        case .ofImage: try tanh(deep)
        case .ofMean: try tanh(mean)
        }
      return ["y": y, "other": other]
    }
  }

  @Test(
    "equals the reference",
    arguments: [[1, 20, 9, 8], [3, 16, 7, 7], [2, 33, 5, 6], [1, 5, 1, 3]], [3, 5])
  func results(shape: [Int], kernel: Int) throws {
    for stride in [1, 2] {
      let graph = try block(Shape(shape), kernel: kernel, stride: stride)
      try expectReferenceResults(graph, within: Tolerance(relative: 1e-4, absolute: 1e-5))
    }
  }

  @Test(
    "whatever the activation, and whoever else reads what is in between",
    arguments: [Activation.relu, .hardSwish, .tanh, .mish, .elu(alpha: 0.5)], Reader.allCases)
  func variants(activation: Activation, reader: Reader) throws {
    let graph = try block([2, 24, 6, 7], activation, reader: reader)
    try expectReferenceResults(graph, within: Tolerance(relative: 1e-4, absolute: 1e-5))
  }

  @Test("makes no pass over the image for the mean and none for the scale")
  func plan() throws {
    let plan = try OneDNNBackend(threads: 2).planDescription(of: block([2, 32, 8, 8]))
    let steps = plan.split(separator: "\n").filter { !$0.hasPrefix("prepare") }
    #expect(steps.contains { $0.contains("convolution+swish+mean(") })
    #expect(steps.contains { $0.contains("scale+convolution") })
    #expect(!steps.contains { $0.contains("= multiply(") || $0.contains("averagePool") })
    // Where the scaled image has another reader it is made.
    let other = try OneDNNBackend(threads: 2).planDescription(
      of: block([2, 32, 8, 8], reader: .ofScaled))
    #expect(other.contains("multiply") && !other.contains("scale+convolution"))
  }
}
