import ApusIR
import ApusTensor
import Testing

/// The message of the error that a trace throws.
private func message(
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (Scope) throws -> KeyValuePairs<String, Tensor>
) -> String {
  do {
    _ = try trace(body)
    Issue.record("the trace succeeds", sourceLocation: sourceLocation)
    return ""
  } catch { return "\(error)" }
}

@Suite("What fails a trace")
struct TraceErrorTests {
  @Test("A wrong shape names the layer whose parameter is read")
  func layerPath() {
    let text = message { scope in
      let x = scope.argument("x", .float32, [1, 64, 8, 8])
      let conv = scope["layer2"]["0"]["conv1"]
      return [
        "y": try convolution(x, conv.parameter("weight", [8, 32, 3, 3], .zeros), Convolution())
      ]
    }
    #expect(
      text == """
        layer2.0.conv1: convolution: input channels must equal filter channels × groups, got 64 \
        and 32 × 1
          operands: float32[1, 64, 8, 8], float32[8, 32, 3, 3]
          hint: did you mean groups: 2?
        """)
  }

  @Test("An op without parameters is named by the layer whose result it reads")
  func followingPath() {
    let text = message { scope in
      let x = scope.argument("x", .float32, [1, 3, 4, 4])
      let weight = scope["a"]["b"].parameter("weight", [8, 3, 3, 3], .zeros)
      return ["y": try maxPool(relu(convolution(x, weight, Convolution())), kernel: 3, stride: 1)]
    }
    #expect(
      text.hasPrefix("a.b: maxPool: the padded image must be at least as large as the kernel"))
  }

  @Test("Shapes that do not broadcast are both in the message")
  func broadcasting() {
    let text = message { scope in
      let (a, b) = (scope.argument("a", .float32, [2, 3]), scope.argument("b", .float32, [2]))
      return ["y": try a + b]
    }
    #expect(text.hasPrefix("add: "))
    #expect(text.contains("float32[2, 3]") && text.contains("float32[2]"))
  }

  @Test("A name or path is declared once, as parameter or state")
  func duplicates() {
    let twice = message { scope in
      _ = scope["bn"].parameter("weight", [3], .ones)
      return ["y": scope["bn"].parameter("weight", [3], .ones)]
    }
    #expect(twice == "bn: input: each input is declared once, got a second \"bn.weight\"")
    let both = message { scope in
      _ = scope.parameter("w", [3], .ones)
      return ["y": scope.state("w", [3], .ones)]
    }
    #expect(both == "input: each input is declared once, got a second \"w\"")
    let argument = message { scope in
      ["x": scope.argument("x", .float32, [1]), "y": scope.argument("x", .float32, [1])]
    }
    #expect(argument == "input: each input is declared once, got a second \"x\"")
  }

  @Test("Random inputs have no names, and an argument may be named as a parameter is")
  func namesakes() throws {
    let graph = try trace { scope in
      let a = scope.random(.uniform, [2])
      return [
        "y": try a + scope.random(.uniform, [2]) + scope.argument("a", .float32, [2])
          + scope.parameter("a", [2], .ones)
      ]
    }
    try graph.verify()
    #expect(graph.inputs.count == 4)
  }

  @Test(
    "An impossible shape is the one error, whatever follows from it",
    arguments: [[0], [-1], [2, 0, 3], [1 << 40, 1 << 40], [Int.max, 2]])
  func impossibleShapes(extents: [Int]) {
    let text = message { scope in
      let broken = scope["fc"].parameter("weight", Shape(extents), .zeros)
      let x = scope.argument("x", .float32, [7, 5])
      return ["y": try dot(x, broken, transposesRight: true)]
    }
    #expect(text.hasPrefix("fc: input: "))
    #expect(text.contains("float32\(Shape(extents))"))
  }

  @Test("Axes out of range are errors")
  func axes() {
    for axis in [-1, 2, 5] {
      let text = message { scope in
        ["y": try softmax(scope.argument("x", .float32, [2, 3]), axis: axis)]
      }
      #expect(text.hasPrefix("max: axes must be distinct, ascending and in 0..<2, got [\(axis)]"))
    }
    #expect(
      message { ["y": try softmax($0.argument("x", .float32, []))] }.hasPrefix("max: axes must"))
    #expect(
      message { ["y": try globalAveragePool($0.argument("x", .float32, [2]))] }
        .hasPrefix("mean: axes must"))
    #expect(
      message { ["y": try adaptiveAveragePool($0.argument("x", .float32, [2, 3]), to: Size2D(2))] }
        .hasPrefix("averagePool: images must have rank 4"))
    #expect(
      message { scope in
        let x = scope.argument("x", .int32, [1, 1, 5, 5])
        return ["y": try adaptiveAveragePool(x, to: Size2D(2))]
      }.hasPrefix("averagePool: images must have rank 4 and floating-point elements"))
  }

  @Test("A tensor of another trace is an error, as operand and as result")
  func otherTraces() throws {
    var foreign: [Tensor] = []
    _ = try trace { scope in
      foreign.append(try exp(scope.argument("x", .float32, [2])))
      return ["y": foreign[0]]
    }
    let operand = message { ["y": try $0.argument("x", .float32, [2]) + foreign[0]] }
    #expect(operand.hasPrefix("add: all operands must be tensors of one trace"))
    let result = message { _ in ["y": foreign[0]] }
    #expect(result == "result: \"y\" must be a tensor of this trace, got a tensor of another")
  }

  @Test("An update needs a state of its type, and each output is given once")
  func outputs() {
    let unknown = message { scope in
      let x = scope.argument("x", .float32, [2])
      scope["bn"].update("mean", x)
      return ["y": x]
    }
    #expect(
      unknown == "bn: update: \"bn.mean\" must be a declared state or parameter of the new value's "
        + "type, got float32[2] for nothing")
    let wrong = message { scope in
      scope.update("s", scope.state("s", [2], .zeros))
      scope.update("s", scope.state("t", [3], .zeros))
      return [:]
    }
    #expect(wrong == "update: each update is given once, got a second \"s\"")
    let twice = message { scope in
      let x = scope.argument("x", .float32, [2])
      return ["y": x, "y": x]
    }
    #expect(twice == "result: each result is given once, got a second \"y\"")
  }

  @Test("Nothing cannot be joined")
  func nothing() throws {
    #expect(throws: GraphError.self) { try concatenate([]) }
    #expect(try barrier([]).isEmpty)
  }
}
