import ApusIR
import ApusPlan
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Fusing what follows a step into it")
struct FusionTests {
  @Test("a convolution adds to the shortcut where it lies, then applies the activation")
  func residual() throws {
    let plan = try plan(.compiled) { scope, x in
      let shortcut = try relu(convolve(scope["a"], x))
      return ["y": try relu(convolve(scope["b"], shortcut * 2) + shortcut)]
    }
    expect(
      plan,
      """
      prepare #4 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @a
      prepare #9 filter float32[16, 16, 3, 3] = reorder(#7 plain float32[16, 16, 3, 3]) @b
      #3 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @a
      #2 nChw16c float32[2, 16, 4, 4] = convolution+relu(#3 nChw16c float32[2, 16, 4, 4], #4 filter float32[16, 16, 3, 3]) @a
      #6 nChw16c float32[2, 16, 4, 4] = multiply(#2 nChw16c float32[2, 16, 4, 4], #5 plain float32[1, 1, 1, 1]) @a
      #2 nChw16c float32[2, 16, 4, 4] = convolution+sum+relu(#6 nChw16c float32[2, 16, 4, 4], #9 filter float32[16, 16, 3, 3], #2 nChw16c float32[2, 16, 4, 4]) @b
      #10 plain float32[2, 16, 4, 4] = reorder(#2 nChw16c float32[2, 16, 4, 4])
      return #10
      """)
    #expect(plan.steps.count == 5)
  }

  @Test("a chain of sums becomes steps of as many as kernels take")
  func longChains() throws {
    let plan = try plan(.compiled) { _, x in
      let sums = try (0..<70).map { try exp(x * Double($0)).mean(2, 3) }
      return ["y": try sums.dropFirst().reduce(sums[0]) { try $0 + $1 }]
    }
    let chains = plan.steps.filter { $0.name.hasPrefix("add") }
    #expect(chains.map(\.postOps.count).reduce(chains.count, +) == 69)
    #expect(chains.count > 1 && chains.allSatisfy { $0.postOps.count <= 32 })
  }

  @Test("a shortcut stays where anything else still reads it, or where it is the convolution's own")
  func keptShortcuts() throws {
    func names(
      _ body: (Scope, Tensor) throws -> KeyValuePairs<String, Tensor>
    ) throws -> [String] {
      try plan(.compiled, body).steps.map(\.name).filter { $0 != "reorder" }
    }
    let own = try names { scope, x in
      let shortcut = try convolve(scope["a"], x)
      return ["y": try convolve(scope["b"], shortcut) + shortcut]
    }
    #expect(own == ["convolution", "convolution", "add"])
    let readLater = try names { scope, x in
      let shortcut = try convolve(scope["a"], x)
      let y = try convolve(scope["b"], tanh(shortcut)) + shortcut
      return ["y": try y * exp(shortcut)]
    }
    #expect(readLater == ["convolution", "tanh", "convolution", "add", "exp", "multiply"])
    let returned = try names { scope, x in
      let shortcut = try convolve(scope["a"], x)
      return ["y": try convolve(scope["b"], tanh(shortcut)) + shortcut, "z": shortcut]
    }
    #expect(returned == ["convolution", "tanh", "convolution", "add"])
    let argument = try names { scope, x in ["y": try convolve(scope["a"], tanh(x)) + x] }
    #expect(argument == ["tanh", "convolution", "add"])
    let seenOtherwise = try names { scope, x in
      let shortcut = try convolve(scope["a"], x)
      let same = try barrier([shortcut])[0]
      return ["y": try convolve(scope["b"], tanh(shortcut)) + shortcut, "z": try exp(same)]
    }
    #expect(seenOtherwise == ["convolution", "tanh", "convolution", "add", "exp"])
  }

  @Test("the convolution of a shortcut adds to the branch that was there before")
  func downsampled() throws {
    let plan = try plan(.compiled) { scope, x in
      let branch = try convolve(scope["a"], x)
      return ["y": try relu(branch + convolve(scope["shortcut"], tanh(x)))]
    }
    #expect(
      plan.steps.map(\.name) == [
        "reorder", "convolution", "tanh", "reorder", "convolution+sum+relu", "reorder",
      ])
  }

  @Test("eager plans fuse nothing")
  func eager() throws {
    let plan = try plan(.eager) { scope, x in
      let shortcut = try convolve(scope["a"], x)
      return ["y": try relu(convolve(scope["b"], tanh(shortcut)) + shortcut)]
    }
    #expect(plan.steps.allSatisfy { $0.postOps.isEmpty })
  }

  @Test("a scale per image and channel takes the sum and the activation with it")
  func squeezeExcitation() throws {
    let plan = try plan(.compiled) { scope, x in
      let (a, b) = (try convolve(scope["a"], x), try convolve(scope["b"], x))
      let gate = try sigmoid(a.mean(2, 3)).reshaped(to: [2, 16, 1, 1])
      return ["y": try relu(b * gate.broadcast(to: b.shape) + a)]
    }
    let scale = try #require(plan.steps.first { $0.name == "multiply+add+relu" })
    #expect(scale.operands.map(\.type.shape) == [[2, 16, 4, 4], [2, 16, 1, 1], [2, 16, 4, 4]])
  }

  @Test("a linear layer's product takes its bias with it")
  func linear() throws {
    let plan = try plan(.compiled, x: [2, 16]) { scope, x in
      let weight = scope.parameter("weight", [10, 16], .uniformFanIn(16))
      let bias = scope.parameter("bias", [10], .zeros)
      return ["y": try dot(x, weight, transposesRight: true) + bias]
    }
    #expect(plan.steps.map(\.name) == ["dot+add"])
  }

  @Test("arithmetic on parameters alone stays in the preparation")
  func preparation() throws {
    let plan = try plan(.compiled, x: [2, 16]) { scope, x in
      let (a, b) = (scope.parameter("a", [2, 16], .ones), scope.parameter("b", [2, 16], .ones))
      return ["y": try a * b + x]
    }
    #expect(plan.preparation.map(\.name) == ["multiply"])
    #expect(plan.steps.map(\.name) == ["add"])
  }

  /// A 1×1 convolution to `channels`, ReLU, and a depthwise convolution of what that makes.
  private func expand(
    _ scope: Scope, _ x: Tensor, _ channels: Int = 32
  ) throws -> (expanded: Tensor, filtered: Tensor) {
    let filter = scope.parameter("expand", [channels, x.shape[1], 1, 1], .heNormal)
    let expanded = try relu(convolution(x, filter, Convolution()))
    let deep = scope.parameter("deep", [channels, 1, 3, 3], .heNormal)
    let bias = scope.parameter("bias", [channels], .zeros)
    let depthwise = Convolution(stride: Size2D(2), padding: Padding2D(1), groups: channels)
    return (expanded, try relu(convolution(expanded, deep, bias: bias, depthwise)))
  }

  @Test("a 1×1 convolution becomes part of the depthwise one that reads it")
  func expansion() throws {
    let plan = try plan(.compiled, on: FakeLibrary(fusesDepthwise: true)) { scope, x in
      ["y": try expand(scope["a"], tanh(convolve(scope["b"], x))).filtered]
    }
    expect(
      plan,
      """
      prepare #4 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @b
      prepare #9 filter float32[32, 16, 1, 1] = reorder(#5 plain float32[32, 16, 1, 1]) @a
      prepare #10 taps float32[32, 1, 3, 3] = reorder(#6 plain float32[32, 1, 3, 3]) @a
      #3 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @b
      #2 nChw16c float32[2, 16, 4, 4] = convolution+tanh(#3 nChw16c float32[2, 16, 4, 4], #4 filter float32[16, 16, 3, 3]) @b
      #8 nChw16c float32[2, 32, 2, 2] = convolution+relu+depthwise+relu(#2 nChw16c float32[2, 16, 4, 4], #9 filter float32[32, 16, 1, 1], #10 taps float32[32, 1, 3, 3], #7 plain float32[32]) @a
      #11 plain float32[2, 32, 2, 2] = reorder(#8 nChw16c float32[2, 32, 2, 2])
      return #11
      """)
  }

  @Test("its image is not written over before the depthwise convolution, and shared ones are made")
  func expansionsSource() throws {
    let library = FakeLibrary(fusesDepthwise: true)
    let later = try plan(.compiled, on: library) { scope, x in
      let image = try convolve(scope["a"], x)
      let filter = scope.parameter("expand", [32, 16, 1, 1], .heNormal)
      let expanded = try relu(convolution(image, filter, Convolution()))
      // The sum's own image has no other reader but the expansion before it.
      let sum = try convolve(scope["b"], tanh(x)) + image
      let deep = scope.parameter("deep", [32, 1, 3, 3], .heNormal)
      let depthwise = Convolution(padding: Padding2D(1), groups: 32)
      return ["y": try convolution(expanded, deep, depthwise), "z": sum]
    }
    let names = later.steps.map(\.name).filter { $0 != "reorder" }
    #expect(names == ["convolution", "tanh", "convolution", "add", "convolution+relu+depthwise"])
    let shared = try plan(.compiled, on: library) { scope, x in
      let (expanded, filtered) = try expand(scope, convolve(scope["a"], x))
      return ["y": filtered, "z": try exp(expanded)]
    }
    #expect(!shared.steps.contains { $0.depthwise != nil })
    let apart = try plan(.compiled) { scope, x in ["y": try expand(scope, x).filtered] }
    #expect(!apart.steps.contains { $0.depthwise != nil })
  }
}
