import ApusIR
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

/// The results, by name, of what `body` makes of arguments `x0`, `x1`, ….
func evaluated(
  _ inputs: [HostTensor], _ body: ([Tensor]) throws -> KeyValuePairs<String, Tensor>
) throws -> [HostTensor] {
  let graph = try trace { scope in
    try body(
      inputs.enumerated().map { index, input in
        scope.argument("x\(index)", input.dtype, input.shape)
      })
  }
  try graph.verify()
  return try graph.evaluate(inputs)
}

@Suite("Tensor functions")
struct TensorTests {
  @Test("Operators broadcast trailing axes, with numbers on either side")
  func operators() throws {
    let a = HostTensor([2, 1, 3], [1, 2, 3, 4, 5, 6])
    let b = HostTensor([2, 1], [10, 20])
    let results = try evaluated([a, b]) { x in
      [
        "sum": try x[0] + x[1], "difference": try x[1] - x[0], "right": try x[0] / 2,
        "left": try 1 - x[0], "negated": try -x[0],
      ]
    }
    #expect(results[0].shape == [2, 2, 3])
    #expect(results[0].floats == [11, 12, 13, 21, 22, 23, 14, 15, 16, 24, 25, 26])
    #expect(results[1].floats == [9, 8, 7, 19, 18, 17, 6, 5, 4, 16, 15, 14])
    #expect(results[2].floats == [0.5, 1, 1.5, 2, 2.5, 3])
    #expect(results[3].floats == [0, -1, -2, -3, -4, -5])
    #expect(results[4].floats == [-1, -2, -3, -4, -5, -6])
  }

  @Test("Comparison, choice and mathematics are those of numbers")
  func mathematics() throws {
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let (a, b) = (random.tensor([3, 5], in: 0.1...2), random.tensor([3, 5], in: 0.1...2))
    let results = try evaluated([a, b]) { x in
      [
        "larger": try select(x[0].compared(.greater, x[1]), x[0], x[1]),
        "maximum": try maximum(x[0], x[1]), "power": try pow(x[0], x[1]),
        "same": try exp(x[1] * log(x[0])), "rsqrt": try rsqrt(x[0]), "root": try 1 / sqrt(x[0]),
      ]
    }
    #expect(difference(results[0], from: results[1], within: .exact) == nil)
    #expect(difference(results[2], from: results[3], within: .accumulation) == nil)
    #expect(difference(results[4], from: results[5], within: .elementwise) == nil)
  }

  @Test("Softmax sums to 1 along its axis, also far from zero", arguments: [nil, 0, 1, 2])
  func softmaxes(axis: Int?) throws {
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let x = random.tensor([3, 4, 5], in: -300...300)
    let results = try evaluated([x]) { x in
      let y = try softmax(x[0], axis: axis)
      return ["sum": try y.sum(axis ?? 2), "y": y, "shifted": try softmax(x[0] + 1000, axis: axis)]
    }
    for sum in results[0].floats { #expect((sum - 1).magnitude < 1e-5) }
    #expect(results[1].floats.allSatisfy { (0...1).contains($0) })
    #expect(results[1].floats.contains { $0 > 0.3 })
    // Adding 1000 rounds inputs by 2⁻¹⁴.
    #expect(difference(results[2], from: results[1], within: Tolerance(relative: 1e-3)) == nil)
  }

  @Test("The logarithm of softmax is exact where softmax is 0", arguments: [nil, 0, 1])
  func logSoftmaxes(axis: Int?) throws {
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let (near, far) = (random.tensor([3, 4], in: -5...5), random.tensor([3, 4], in: -5000...5000))
    let results = try evaluated([near, far]) { x in
      [
        "near": try logSoftmax(x[0], axis: axis), "same": try log(softmax(x[0], axis: axis)),
        "far": try logSoftmax(x[1], axis: axis),
        "below": try x[1]
          - x[1].reduced(.max, axes: [axis ?? 1])
          .broadcast(to: [3, 4], axes: [1 - (axis ?? 1)]),
      ]
    }
    #expect(difference(results[0], from: results[1], within: .elementwise) == nil)
    // So far apart that the largest is nearly all of the sum.
    let apart = Tolerance(relative: 1e-6, absolute: 0.7)
    #expect(difference(results[2], from: results[3], within: apart) == nil)
  }

  @Test("Softplus is log(1 + eˣ), and x or 0 where that would overflow or round away")
  func softpluses() throws {
    let x = HostTensor([7], [-200, -20, -1, 0, 1, 20, 200])
    let expected = HostTensor(
      [7], [0, 2.0611537e-9, 0.31326169, 0.69314718, 1.3132617, 20, 200])
    let result = try evaluated([x]) { ["y": try softplus($0[0])] }[0]
    for (got, wanted) in zip(result.floats, expected.floats) {
      #expect((got - wanted).magnitude <= wanted * 1e-6)
    }
  }

  @Test("One-hot marks each row's class; a label that is none marks nothing")
  func oneHots() throws {
    let labels = HostTensor(TensorType(.int32, [4]), [2, 0, 3, -1] as [Int32])
    let result = try evaluated([labels]) { ["y": try oneHot($0[0], classes: 3)] }[0]
    #expect(result.type == TensorType(.bool, [4, 3]))
    #expect(result.doubles == [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test("A scope lists the parameters declared in it, by their names there")
  func parameters() throws {
    _ = try trace { scope in
      let first = scope["a"].parameter("weight", [1], .ones)
      _ = scope["ab"].parameter("weight", [2], .ones)
      _ = scope["a"].state("mean", [1], .zeros)
      _ = scope["a"][0].parameter("bias", [3], .zeros)
      #expect(scope.parameters.map(\.name) == ["a.weight", "ab.weight", "a.0.bias"])
      #expect(scope["a"].parameters.map(\.name) == ["weight", "0.bias"])
      #expect(scope["a"].parameters[0].tensor.value == first.value)
      #expect(scope["b"].parameters.isEmpty)
      return [:]
    }
  }

  @Test(
    "Adaptive average pooling is PyTorch's, for sizes that divide and others",
    arguments: [Size2D(1), Size2D(2, 3), Size2D(3, 2), Size2D(5, 4), Size2D(6, 9), Size2D(7, 11)])
  func adaptivePooling(size: Size2D) throws {
    let (h, w) = (6, 9)
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let x = random.tensor([2, 3, h, w])
    let result = try evaluated([x]) { ["y": try adaptiveAveragePool($0[0], to: size)] }[0]
    let values = x.doubles
    var expected: [Float] = []
    for plane in 0..<6 {
      for i in 0..<size.height {
        for j in 0..<size.width {
          // PyTorch: from ⌊i·h/H⌋ up to, not including, ⌈(i+1)·h/H⌉.
          let rows = i * h / size.height..<((i + 1) * h + size.height - 1) / size.height
          let columns = j * w / size.width..<((j + 1) * w + size.width - 1) / size.width
          var sum = 0.0
          for row in rows {
            for column in columns { sum += values[(plane * h + row) * w + column] }
          }
          expected.append(Float(sum / Double(rows.count * columns.count)))
        }
      }
    }
    let reference = HostTensor([2, 3, size.height, size.width], expected)
    #expect(difference(result, from: reference, within: .accumulation) == nil)
  }

  @Test("Arranging does nothing where nothing changes")
  func identities() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [2, 3])
      return [
        "y": try x.reshaped(to: [2, 3]).broadcast(to: [2, 3]).converted(to: .float32).flattened()
      ]
    }
    #expect(graph.nodes.count == 1)
    let scalar = try evaluated([HostTensor([], [7])]) { ["y": try $0[0].flattened()] }
    #expect(scalar[0].shape == [1, 1])
  }

  @Test("Updates become outputs beside the results")
  func updates() throws {
    let graph = try trace { scope in
      let part = scope["a"][3]
      let count = part.state("count", [1], .zeros)
      part.update("count", try count + 1)
      return ["y": try scope.argument("x", .float32, [1]) * count]
    }
    try graph.verify()
    #expect(graph.outputs.map(\.role) == [.update("a.3.count"), .result("y")])
    #expect(graph.updatedPaths == ["a.3.count"])
  }
}
