import ApusIR
import ApusReference
import ApusRuntime
import ApusTestSupport
import Foundation
import Testing

/// The values an op gives on float32 operands, one by one.
private func floats(_ op: Op, _ operands: HostTensor...) throws -> [Double] {
  let types = try op.resultTypes(operands.map(\.type))
  return evaluate(op, operands, types)[0].doubles
}

@Suite("The reference, computed by hand")
struct HandComputedTests {
  @Test("A convolution is a cross-correlation: the kernel is not flipped")
  func convolution() throws {
    let image = HostTensor([1, 1, 2, 3], [1, 2, 3, 4, 5, 6])
    let filter = HostTensor([1, 1, 2, 2], [1, 10, 100, 1000])
    let bias = HostTensor([1], [0.5])
    #expect(
      try floats(.convolution(Convolution()), image, filter, bias) == [5421.5, 6532.5])
    let padded = Convolution(padding: Padding2D(top: 0, left: 1, bottom: 0, right: 0))
    #expect(try floats(.convolution(padded), image, filter) == [4010, 5421, 6532])
  }

  @Test("Groups see only their own channels")
  func groups() throws {
    let image = HostTensor([1, 4, 1, 1], [1, 2, 3, 4])
    let filter = HostTensor([2, 2, 1, 1], [1, 10, 100, 1000])
    #expect(try floats(.convolution(Convolution(groups: 2)), image, filter) == [21, 4300])
  }

  @Test("Average pooling counts padding, but not what hangs over it")
  func averageDivisors() throws {
    let image = HostTensor([1, 1, 1, 4], [4, 8, 12, 16])
    func average(counting: Bool) -> Op {
      .pool(
        Pool(
          .average(countsPadding: counting), kernel: Size2D(1, 3), stride: Size2D(1, 2),
          padding: Padding2D(top: 0, left: 1, bottom: 0, right: 0), ceilMode: true))
    }
    // Windows [pad 4 8] [8 12 16], then [16 20 –] where the image has one more column.
    #expect(try floats(average(counting: true), image) == [4, 12])
    #expect(try floats(average(counting: false), image) == [6, 12])
    let wider = HostTensor([1, 1, 1, 5], [4, 8, 12, 16, 20])
    #expect(try floats(average(counting: true), wider) == [4, 12, 18])
  }

  @Test("Maximum and minimum keep NaN, as operators, as reductions and as pooling")
  func notANumber() throws {
    let (a, b) = (HostTensor([3], [.nan, 1, 2]), HostTensor([3], [0, .nan, 3]))
    for binary in [Binary.maximum, .minimum] {
      #expect(try floats(.binary(binary), a, b).map(\.isNaN) == [true, true, false])
    }
    for kind in [Reduce.Kind.max, .min] {
      #expect(try floats(.reduce(Reduce(kind, axes: [0])), a)[0].isNaN)
      #expect(try floats(.reduce(Reduce(kind, axes: [0])), b)[0].isNaN)
    }
    let image = HostTensor([1, 1, 1, 3], [1, .nan, 0])
    let pool = Op.pool(Pool(.max, kernel: Size2D(1, 2), stride: Size2D(1)))
    #expect(try floats(pool, image).allSatisfy(\.isNaN))
    #expect(try floats(.activation(.relu6), a)[0].isNaN)
    #expect(try floats(.argMax(ArgMax(axis: 0)), b) == [1])
  }

  @Test("The gradient of a maximum goes to the first of the largest, NaN before all numbers")
  func maxPoolGradient() throws {
    let pool = Pool(
      .max, kernel: Size2D(1, 3), stride: Size2D(1, 2),
      padding: Padding2D(top: 0, left: 1, bottom: 0, right: 1))
    let gradient = Op.poolGradient(PoolGradient(pool, images: Size2D(1, 6)))
    // Windows [pad 5 5] [5 NaN NaN] [NaN −∞ −∞].
    let x = HostTensor([1, 1, 1, 6], [5, 5, .nan, .nan, -.infinity, -.infinity])
    let given = HostTensor([1, 1, 1, 3], [1, 10, 100])
    #expect(try floats(gradient, x, given) == [1, 0, 10, 100, 0, 0])
    let infinite = HostTensor([1, 1, 1, 6], Array(repeating: -.infinity, count: 6))
    #expect(try floats(gradient, infinite, given) == [1, 10, 0, 100, 0, 0])
  }

  @Test("The gradient of a negative scale of an activated batch norm turns its sign, not that of 0")
  func signOfScale() throws {
    let norm = ActivatedBatchNorm(epsilon: 1e-3, activation: nil)
    let y = HostTensor([2, 3], [1, 1, 1, -1, -1, -1])
    let scale = HostTensor([3], [-0.999, 0, 0.999])
    let (zeros, ones) = (HostTensor([3], [0, 0, 0]), HostTensor([3], [1, 1, 1]))
    let types = try Op.activatedBatchNormGradient(norm).resultTypes(
      [y, scale, zeros, ones, y].map(\.type))
    let results = evaluate(.activatedBatchNormGradient(norm), [y, scale, zeros, ones, y], types)
    #expect(results[1].floats == [-2, 2000, 2])
  }

  @Test("The first of equal maxima is taken")
  func argMaxTies() throws {
    let x = HostTensor([2, 3], [1, 5, 5, 7, 7, 7])
    #expect(try floats(.argMax(ArgMax(axis: 1)), x) == [1, 0])
    #expect(try floats(.argMax(ArgMax(axis: 0)), x) == [1, 1, 1])
  }

  @Test("Inputs and barriers pass their values on")
  func identities() throws {
    for row in OpCase.all where OpKey(row.op) == .barrier || OpKey(row.op) == .input {
      let values = row.inputs(seed: 5)
      let results = try row.graph().evaluate(values)
      #expect(results.count == values.count)
      for (got, expected) in zip(results, values) {
        #expect(difference(got, from: expected, within: .exact) == nil)
      }
    }
  }

  @Test("A constant of many values keeps their order")
  func longConstant() throws {
    let values = (0..<12).map { Double($0) / 4 }
    let constant = Op.constant(Constant(TensorType(.float32, [3, 4]), values))
    #expect(try floats(constant) == values)
  }

  @Test("Batch norm and local response norm follow their formulas")
  func normalization() throws {
    let x = HostTensor([1, 2], [3, 5])
    let y = try floats(
      .batchNorm(BatchNorm(epsilon: 1)), x, HostTensor([2], [2, 1]), HostTensor([2], [10, 20]),
      HostTensor([2], [1, 1]), HostTensor([2], [3, 15]))
    #expect(y == [12, 21])
    let norm = LocalResponseNorm(size: 3, alpha: 3, beta: 1, k: 1)
    let pixels = HostTensor([1, 3, 1, 1], [1, 2, 3])
    let expected: [Float] = [1 / 6, 2 / 15, 3 / 14]
    #expect(try floats(.localResponseNorm(norm), pixels) == expected.map { Double($0) })
  }
}

@Suite("Evaluating a graph")
struct GraphEvaluationTests {
  private func sum() throws -> Graph {
    var graph = Graph()
    let type = TensorType(.float32, [2])
    let a = try graph.append(.input(Input(.argument("a"), type)))[0]
    let b = try graph.append(.input(Input(.parameter("layer.b"), type)))[0]
    let difference = try graph.append(.binary(.subtract), [a, b])[0]
    graph.output(.result("difference"), difference)
    graph.output(.result("a"), a)
    return graph
  }

  @Test("takes inputs in the order of their declaration")
  func order() throws {
    let results = try sum().evaluate([HostTensor([2], [5, 7]), HostTensor([2], [1, 10])])
    #expect(results.map(\.floats) == [[4, -3], [5, 7]])
  }

  @Test("refuses a wrong number of inputs and wrong types")
  func wrongInputs() throws {
    let graph = try sum()
    let good = HostTensor([2], [1, 2])
    #expect(throws: EvaluationError.wrongInputCount(expected: 2, got: 1)) {
      try graph.evaluate([good])
    }
    let error = #expect(throws: EvaluationError.self) {
      try graph.evaluate([good, HostTensor([1, 2], [1, 2])])
    }
    #expect(
      error?.description
        == "evaluate: input \"layer.b\" must be float32[2], got float32[1, 2]")
  }
}
