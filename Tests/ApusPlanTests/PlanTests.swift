import ApusIR
import ApusPasses
import ApusPlan
import ApusTensor
import ApusTestSupport
import Testing

/// A plan of what `body` makes, in which images come as `x`.
func plan(
  _ mode: Planner.Mode, x shape: Shape = [2, 16, 4, 4], on library: FakeLibrary = FakeLibrary(),
  _ body: (Scope, Tensor) throws -> KeyValuePairs<String, Tensor>
) throws -> Plan {
  let graph = try trace { scope in
    try body(scope, scope.argument("x", .float32, shape))
  }
  let rewritten = mode == .compiled ? try Passes.inference.verified.run(graph) : graph
  return try Planner(mode, library).plan(rewritten)
}

/// A 3×3 convolution with padding 1.
func convolve(
  _ scope: Scope, _ x: Tensor, _ outputs: Int = 16, bias: Bool = false
) throws -> Tensor {
  let filter = scope.parameter("weight", [outputs, x.shape[1], 3, 3], .heNormal)
  return try convolution(
    x, filter, bias: bias ? scope.parameter("bias", [outputs], .zeros) : nil,
    Convolution(padding: Padding2D(1)))
}

func normalize(_ scope: Scope, _ x: Tensor) throws -> Tensor {
  let shape: Shape = [x.shape[1]]
  return try batchNorm(
    x, scale: scope.parameter("weight", shape, .ones),
    offset: scope.parameter("bias", shape, .zeros),
    mean: scope.state("running_mean", shape, .zeros),
    variance: scope.state("running_var", shape, .ones), epsilon: 1e-5)
}

func expect(
  _ plan: Plan, _ golden: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let changes = difference(plan.description, from: golden)
  #expect(changes == nil, sourceLocation: sourceLocation)
}

@Suite("A plan")
struct PlanTests {
  @Test("compiled, applies a rectifier in the convolution before it; eager, it does not")
  func fusedActivation() throws {
    func network(_ scope: Scope, _ x: Tensor) throws -> KeyValuePairs<String, Tensor> {
      ["y": try relu(convolve(scope["conv"], x, bias: true))]
    }
    expect(
      try plan(.compiled, network),
      """
      prepare #5 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @conv
      #4 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @conv
      #3 nChw16c float32[2, 16, 4, 4] = convolution+relu(#4 nChw16c float32[2, 16, 4, 4], #5 filter float32[16, 16, 3, 3], #2 plain float32[16]) @conv
      #6 plain float32[2, 16, 4, 4] = reorder(#3 nChw16c float32[2, 16, 4, 4])
      return #6
      """)
    expect(
      try plan(.eager, network),
      """
      prepare #5 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @conv
      #4 nhwc float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @conv
      #3 nhwc float32[2, 16, 4, 4] = convolution(#4 nhwc float32[2, 16, 4, 4], #5 filter float32[16, 16, 3, 3], #2 plain float32[16]) @conv
      #6 nhwc float32[2, 16, 4, 4] = relu(#3 nhwc float32[2, 16, 4, 4]) @conv
      #7 plain float32[2, 16, 4, 4] = reorder(#6 nhwc float32[2, 16, 4, 4])
      return #7
      """)
  }

  @Test("has no batch norm after a convolution: its factor is prepared with the filter")
  func foldedBatchNorm() throws {
    let plan = try plan(.compiled) { scope, x in
      ["y": try relu(normalize(scope["bn"], convolve(scope["conv"], x)))]
    }
    expect(
      plan,
      """
      prepare #7 plain float32[16] = add(#5 plain float32[16], #6 plain float32[16]) @conv
      prepare #8 plain float32[16] = sqrt(#7 plain float32[16]) @conv
      prepare #9 plain float32[16] = divide(#2 plain float32[16], #8 plain float32[16]) @conv
      prepare #10 plain float32[16, 16, 3, 3] = multiply(#1 plain float32[16, 16, 3, 3], #9 plain float32[16, 1, 1, 1]) @conv
      prepare #11 plain float32[16] = multiply(#4 plain float32[16], #9 plain float32[16]) @conv
      prepare #12 plain float32[16] = subtract(#3 plain float32[16], #11 plain float32[16]) @conv
      prepare #15 filter float32[16, 16, 3, 3] = reorder(#10 plain float32[16, 16, 3, 3]) @conv
      #14 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @conv
      #13 nChw16c float32[2, 16, 4, 4] = convolution+relu(#14 nChw16c float32[2, 16, 4, 4], #15 filter float32[16, 16, 3, 3], #12 plain float32[16]) @conv
      #16 plain float32[2, 16, 4, 4] = reorder(#13 nChw16c float32[2, 16, 4, 4])
      return #16
      """)
  }

  @Test("adds a residual and rectifies the sum in one step, in the images' layout")
  func residual() throws {
    func network(_ scope: Scope, _ x: Tensor) throws -> KeyValuePairs<String, Tensor> {
      let y = try relu(convolve(scope["conv1"], x))
      return ["y": try relu(convolve(scope["conv2"], y) + y)]
    }
    expect(
      try plan(.compiled, network),
      """
      prepare #4 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @conv1
      prepare #7 filter float32[16, 16, 3, 3] = reorder(#5 plain float32[16, 16, 3, 3]) @conv2
      #3 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @conv1
      #2 nChw16c float32[2, 16, 4, 4] = convolution+relu(#3 nChw16c float32[2, 16, 4, 4], #4 filter float32[16, 16, 3, 3]) @conv1
      #6 nChw16c float32[2, 16, 4, 4] = convolution(#2 nChw16c float32[2, 16, 4, 4], #7 filter float32[16, 16, 3, 3]) @conv2
      #6 nChw16c float32[2, 16, 4, 4] = add+relu(#6 nChw16c float32[2, 16, 4, 4], #2 nChw16c float32[2, 16, 4, 4]) @conv2
      #9 plain float32[2, 16, 4, 4] = reorder(#6 nChw16c float32[2, 16, 4, 4])
      return #9
      """)
    expect(
      try plan(.eager, network),
      """
      prepare #4 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @conv1
      prepare #8 filter float32[16, 16, 3, 3] = reorder(#6 plain float32[16, 16, 3, 3]) @conv2
      #3 nhwc float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @conv1
      #2 nhwc float32[2, 16, 4, 4] = convolution(#3 nhwc float32[2, 16, 4, 4], #4 filter float32[16, 16, 3, 3]) @conv1
      #5 nhwc float32[2, 16, 4, 4] = relu(#2 nhwc float32[2, 16, 4, 4]) @conv1
      #7 nhwc float32[2, 16, 4, 4] = convolution(#5 nhwc float32[2, 16, 4, 4], #8 filter float32[16, 16, 3, 3]) @conv2
      #9 nhwc float32[2, 16, 4, 4] = add(#7 nhwc float32[2, 16, 4, 4], #5 nhwc float32[2, 16, 4, 4]) @conv2
      #10 nhwc float32[2, 16, 4, 4] = relu(#9 nhwc float32[2, 16, 4, 4]) @conv2
      #11 plain float32[2, 16, 4, 4] = reorder(#10 nhwc float32[2, 16, 4, 4])
      return #11
      """)
  }

  @Test("writes over an operand only where nothing reads it afterwards, and never over an input")
  func overwriting() throws {
    expect(
      try plan(.compiled, x: [2, 3]) { _, x in
        let a = try exp(x)
        let b = try a + exp(a)
        return ["b": b, "c": try b * a]
      },
      """
      #1 plain float32[2, 3] = exp(#0 plain float32[2, 3])
      #2 plain float32[2, 3] = exp(#1 plain float32[2, 3])
      #2 plain float32[2, 3] = add(#1 plain float32[2, 3], #2 plain float32[2, 3])
      #1 plain float32[2, 3] = multiply(#2 plain float32[2, 3], #1 plain float32[2, 3])
      return #2
      return #1
      """)
  }

  @Test("broadcasts nothing for a product, whichever side it is on")
  func broadcastOnTheLeft() throws {
    let text = try plan(.compiled, x: [2, 3]) { scope, x in
      let rate = scope.argument("rate", .float32, [])
      return ["a": try rate.broadcast(to: x.shape, axes: []) * exp(x)]
    }.description
    #expect(text.contains("multiply") && !text.contains("broadcast"))
  }

  @Test("reorders what several steps read once")
  func sharedReorder() throws {
    let plan = try plan(.compiled) { scope, x in
      ["a": try convolve(scope["a"], x), "b": try convolve(scope["b"], x)]
    }
    expect(
      plan,
      """
      prepare #4 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @a
      prepare #7 filter float32[16, 16, 3, 3] = reorder(#5 plain float32[16, 16, 3, 3]) @b
      #3 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @a
      #2 nChw16c float32[2, 16, 4, 4] = convolution(#3 nChw16c float32[2, 16, 4, 4], #4 filter float32[16, 16, 3, 3]) @a
      #6 nChw16c float32[2, 16, 4, 4] = convolution(#3 nChw16c float32[2, 16, 4, 4], #7 filter float32[16, 16, 3, 3]) @b
      #8 plain float32[2, 16, 4, 4] = reorder(#2 nChw16c float32[2, 16, 4, 4])
      #9 plain float32[2, 16, 4, 4] = reorder(#6 nChw16c float32[2, 16, 4, 4])
      return #8
      return #9
      """)
  }

  @Test("reads a broadcast as a view where a binary op takes it second, else makes it whole")
  func broadcasts() throws {
    let plan = try plan(.eager) { scope, x in
      let vector = scope.parameter("v", [16, 1, 1], .ones)
      let sum = try x + vector
      return ["second": sum, "first": try vector - x, "whole": try vector.broadcast(to: x.shape)]
    }
    expect(
      plan,
      """
      #2 plain float32[2, 16, 4, 4] = add(#0 plain float32[2, 16, 4, 4], #1 plain float32[1, 16, 1, 1])
      #3 plain float32[2, 16, 4, 4] = broadcast(#1 plain float32[1, 16, 1, 1])
      #4 plain float32[2, 16, 4, 4] = subtract(#3 plain float32[2, 16, 4, 4], #0 plain float32[2, 16, 4, 4])
      #5 plain float32[2, 16, 4, 4] = broadcast(#1 plain float32[1, 16, 1, 1])
      return #2
      return #4
      return #5
      """)
  }

  @Test("reshapes without a step, also images of one pixel in blocks of channels")
  func reshape() throws {
    let plan = try plan(.compiled, x: [2, 16, 1, 1]) { scope, x in
      ["y": try convolve(scope["conv"], x).flattened(), "x": try x.reshaped(to: [4, 8])]
    }
    expect(
      plan,
      """
      prepare #3 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @conv
      #2 nChw16c float32[2, 16, 1, 1] = convolution(#0 nChw16c float32[2, 16, 1, 1], #3 filter float32[16, 16, 3, 3]) @conv
      return #2
      return #0
      """)
  }

  @Test("joins images as they lie, but row-major where a block would be torn")
  func concatenation() throws {
    let whole = try plan(.compiled) { scope, x in
      let (a, b) = (try convolve(scope["a"], x), try convolve(scope["b"], x))
      return ["y": try maxPool(concatenate([a, b]), kernel: 2, stride: 2)]
    }
    expect(
      whole,
      """
      prepare #4 filter float32[16, 16, 3, 3] = reorder(#1 plain float32[16, 16, 3, 3]) @a
      prepare #7 filter float32[16, 16, 3, 3] = reorder(#5 plain float32[16, 16, 3, 3]) @b
      #3 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @a
      #2 nChw16c float32[2, 16, 4, 4] = convolution(#3 nChw16c float32[2, 16, 4, 4], #4 filter float32[16, 16, 3, 3]) @a
      #6 nChw16c float32[2, 16, 4, 4] = convolution(#3 nChw16c float32[2, 16, 4, 4], #7 filter float32[16, 16, 3, 3]) @b
      #8 nChw16c float32[2, 32, 4, 4] = concatenate(#2 nChw16c float32[2, 16, 4, 4], #6 nChw16c float32[2, 16, 4, 4]) @a
      #9 nChw16c float32[2, 32, 2, 2] = maxPool(#8 nChw16c float32[2, 32, 4, 4]) @a
      #10 plain float32[2, 32, 2, 2] = reorder(#9 nChw16c float32[2, 32, 2, 2])
      return #10
      """)
    let torn = try plan(.compiled) { scope, x in
      let (a, b) = (try convolve(scope["a"], x, 12), try convolve(scope["b"], x, 12))
      return ["y": try concatenate([a, b])]
    }
    expect(
      torn,
      """
      prepare #4 filter float32[12, 16, 3, 3] = reorder(#1 plain float32[12, 16, 3, 3]) @a
      prepare #7 filter float32[12, 16, 3, 3] = reorder(#5 plain float32[12, 16, 3, 3]) @b
      #3 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @a
      #2 nChw16c float32[2, 12, 4, 4] = convolution(#3 nChw16c float32[2, 16, 4, 4], #4 filter float32[12, 16, 3, 3]) @a
      #6 nChw16c float32[2, 12, 4, 4] = convolution(#3 nChw16c float32[2, 16, 4, 4], #7 filter float32[12, 16, 3, 3]) @b
      #8 plain float32[2, 12, 4, 4] = reorder(#2 nChw16c float32[2, 12, 4, 4])
      #9 plain float32[2, 12, 4, 4] = reorder(#6 nChw16c float32[2, 12, 4, 4])
      #10 plain float32[2, 24, 4, 4] = concatenate(#8 plain float32[2, 12, 4, 4], #9 plain float32[2, 12, 4, 4]) @a
      return #10
      """)
  }

  @Test("joins images channels-last where one of them is")
  func mixedConcatenation() throws {
    let plan = try plan(.eager) { scope, x in
      ["y": try maxPool(concatenate([x, convolve(scope["a"], x)]), kernel: 2, stride: 2)]
    }
    let join = try #require(plan.steps.first { $0.name == "concatenate" })
    #expect((join.operands + join.results).allSatisfy { $0.layout == .channelsLast })
  }

  @Test("pools for the mean over an image, and gives a linear layer's weight the kernel's layout")
  func meanAndLinear() throws {
    let plan = try plan(.compiled) { scope, x in
      let weight = scope.parameter("fc.weight", [10, 16], .uniformFanIn(16))
      let mean = try globalAveragePool(convolve(scope["conv"], x))
      return ["y": try dot(mean, weight, transposesRight: true)]
    }
    expect(
      plan,
      """
      prepare #5 filter float32[16, 16, 3, 3] = reorder(#2 plain float32[16, 16, 3, 3]) @conv
      prepare #8 matrix float32[10, 16] = reorder(#1 plain float32[10, 16]) @fc
      #4 nChw16c float32[2, 16, 4, 4] = reorder(#0 plain float32[2, 16, 4, 4]) @conv
      #3 nChw16c float32[2, 16, 4, 4] = convolution(#4 nChw16c float32[2, 16, 4, 4], #5 filter float32[16, 16, 3, 3]) @conv
      #6 nChw16c float32[2, 16, 1, 1] = averagePool(#3 nChw16c float32[2, 16, 4, 4]) @conv
      #7 plain float32[2, 10] = dot(#6 plain float32[2, 16], #8 matrix float32[10, 16]) @fc
      return #7
      """)
  }

  @Test("returns inputs, parameters and constants as they are")
  func direct() throws {
    for mode in [Planner.Mode.eager, .compiled] {
      let plan = try plan(mode) { scope, x in
        [
          "x": x, "p": scope.parameter("p", [3], .ones),
          "c": try softmax(x) * 0 + 1, "again": x,
        ]
      }
      #expect(plan.buffers[plan.results[0].operand.buffer].place == .input(0))
      #expect(plan.buffers[plan.results[1].operand.buffer].place == .parameter("p"))
      #expect(plan.results[3].operand == plan.results[0].operand)
    }
  }

  @Test("does not fuse an activation into a value that is read twice or returned")
  func readTwice() throws {
    let twice = try plan(.compiled) { scope, x in
      let y = try convolve(scope["conv"], x)
      return ["y": try relu(y) + y]
    }
    #expect(twice.steps.map(\.name) == ["reorder", "convolution", "relu", "add", "reorder"])
    let returned = try plan(.compiled) { scope, x in
      let y = try convolve(scope["conv"], x)
      return ["y": y, "z": try relu(y)]
    }
    #expect(
      returned.steps.map(\.name) == ["reorder", "convolution", "relu", "reorder", "reorder"])
    let square = try plan(.compiled) { scope, x in ["y": try x * x] }
    #expect(square.steps.map(\.name) == ["multiply"])
    #expect(square.steps[0].operands == [square.steps[0].operands[0], square.steps[0].operands[0]])
  }

  @Test("compiled, leaves out what no result needs; eager, runs and releases it at once")
  func unused() throws {
    func network(_ scope: Scope, _ x: Tensor) throws -> KeyValuePairs<String, Tensor> {
      _ = try sigmoid(x)
      return ["y": try tanh(x)]
    }
    #expect(try plan(.compiled, network).steps.map(\.name) == ["tanh"])
    let eager = try plan(.eager, network)
    #expect(eager.steps.map(\.name) == ["sigmoid", "tanh"])
    let unread = eager.steps[0].results[0].buffer
    let releases = Plan.releases(
      after: eager.steps, keeping: Set(eager.results.map(\.operand.buffer)))
    #expect(releases[0] == [unread])
    // Both results have 2 · 16 · 4 · 4 values of four bytes, and do not live together.
    #expect(eager.peakSizeInBytes == 2048)
  }

  @Test("eager, knows its peak with the working memory of each step")
  func eagerPeak() throws {
    let plan = try plan(.eager) { scope, x in ["y": try convolve(scope["conv"], x)] }
    #expect(plan.steps.map(\.name) == ["reorder", "convolution", "reorder"])
    // Two images of 2 · 16 · 4 · 4 values of four bytes, and the fake library's 100 bytes.
    #expect(plan.peakSizeInBytes == 2 * 2048 + 100)
    #expect(plan.arenaSizeInBytes == 0)
  }

  @Test("fails with the layer's path where the library cannot run a step")
  func unsupported() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [1, 16, 9, 9])
      let filter = scope["a"]["b"].parameter("weight", [16, 16, 3, 3], .heNormal)
      return ["y": try convolution(x, filter, Convolution(dilation: Size2D(2)))]
    }
    #expect {
      _ = try Planner(.compiled, FakeLibrary()).plan(graph)
    } throws: { "\($0)" == "a.b: convolution: no dilation" }
  }
}
