import ApusIR
import ApusPasses
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("A graph for another batch")
struct RebatchTests {
  /// A function of images `x` `[n, 6, 4, 4]`.
  struct Body: CustomTestStringConvertible {
    let testDescription: String
    let result: @Sendable (_ scope: Scope, _ x: Tensor) throws -> Tensor

    init(_ name: String, _ result: @escaping @Sendable (Scope, Tensor) throws -> Tensor) {
      testDescription = name
      self.result = result
    }

    func graph(_ batch: Int) throws -> Graph {
      try trace { scope in
        ["y": try result(scope, scope.argument("x", .float32, [batch, 6, 4, 4]))]
      }
    }
  }

  /// Bodies of which every image has its own result. Six is the number of channels too.
  private static let separable = [
    Body("a scale for each channel of each image") { scope, x in
      let scale = try sigmoid(x.mean(2, 3)).broadcast(to: x.shape, axes: [0, 1])
      return try x * scale + 0.5
    },
    Body("filters that are scaled along either axis") { scope, x in
      let filter = scope.parameter("filter", [6, 6, 3, 3], .heNormal)
      let outputs = try scope.parameter("o", [6], .ones).broadcast(to: [6, 6, 3, 3], axes: [0])
      let inputs = try scope.parameter("i", [6], .ones).broadcast(to: [6, 6, 3, 3], axes: [1])
      return try convolution(
        x, filter * outputs * inputs, Convolution(padding: Padding2D(1)))
    },
    Body("parts, padding, zeros beside, another order, one axis") { scope, x in
      let n = x.shape[0]
      let half = try x.sliced(from: [0, 1, 0, 0], to: [n, 5, 4, 4], by: [1, 2, 1, 1])
      let padded = try half.padded(low: [0, 1, 0, 0], high: [0, 0, 0, 1], interior: [0, 0, 1, 0])
      let wide = try concatenate([padded, padded.filled(with: 0).broadcast(to: padded.shape)])
      return try wide.transposed([0, 3, 2, 1]).flattened()
    },
    Body("maxima, likelihoods and comparisons") { scope, x in
      let rows = try softmax(x.flattened())
      let larger = try rows.compared(.greater, rows * 0 + 0.01)
      let chosen = try select(larger, rows, -rows)
      let winner = try chosen.argMax(axis: 1).converted(to: .float32)
      return try chosen * winner.reshaped(to: [x.shape[0], 1])
    },
    Body("matrix products with weights, and of each image by itself") { scope, x in
      let squares = try dot(x, x, transposesRight: true)
      let pooled = try adaptiveAveragePool(squares, to: Size2D(3))
      let weight = scope.parameter("weight", [6, 54], .uniformFanIn(54))
      return try dot(pooled.flattened(), weight, transposesRight: true)
    },
    Body("pooling, normalisations, a barrier") { scope, x in
      let ones = scope.parameter("ones", [6], .ones)
      let normed = try batchNorm(
        x, scale: ones, offset: ones, mean: ones, variance: ones, epsilon: 1e-3)
      let y = try barrier([localResponseNorm(normed, LocalResponseNorm()), ones])
      let scale = try y[1].broadcast(to: x.shape, axes: [1])
      return try (y[0] * scale).pooled(
        Pool(.max, kernel: Size2D(2), stride: Size2D(2)))
    },
    Body("gradients that each image has of its own") { scope, x in
      let pool = Pool(.max, kernel: Size2D(2), stride: Size2D(2))
      let y = try x.maxPoolGradient(pool, x.pooled(pool))
      let filter = scope.parameter("filter", [6, 6, 1, 1], .ones)
      let z = try convolutionInputGradient(y, filter, Convolution(), images: Size2D(4))
      let even = Pool(.average(countsPadding: false), kernel: Size2D(2), stride: Size2D(2))
      let w = try z.pooled(even).averagePoolGradient(even, images: Size2D(4))
      return try localResponseNormGradient(
        w.activationGradient(.swish, z), w, LocalResponseNorm())
    },
    Body("noise that is given for each image") { scope, x in
      try x * scope.random(.bernoulli(0.5), [x.shape[0], 1, 1, 1])
    },
  ]

  @Test("is the one that tracing at that batch gives", arguments: separable)
  func equal(body: Body) throws {
    for (from, to) in [(6, 2), (6, 1), (2, 6), (3, 3)] {
      let rebatched = try #require(try body.graph(from).rebatched(to: to))
      try rebatched.verify()
      // Broadcasts that change nothing are traced at no batch.
      let simplify = Passes([.removeIdentities, .removeDead])
      let (got, expected) = try (simplify.run(rebatched), simplify.run(body.graph(to)))
      #expect(got == expected, "\(from) to \(to)")
      #expect(rebatched.batch == to)
    }
  }

  @Test("may read one broadcast with images, which it changes, and with parameters, which stay")
  func bothForms() throws {
    let body = Body("") { scope, x in
      let vector = scope.parameter("v", [6], .ones)
      let whole = try exp(vector.broadcast(to: x.shape, axes: [1]))
      let other = try exp(vector.broadcast(to: [6, 6, 4, 4], axes: [1]))
      return try convolution(
        x * whole, scope.parameter("filter", [6, 6, 4, 4], .ones) * other, Convolution())
    }
    let merged = try Passes([.mergeCommon], verifies: true).run(body.graph(6))
    #expect(merged.nodes.count { $0.op.name == "broadcast" } == 1)
    let rebatched = try #require(merged.rebatched(to: 2))
    try rebatched.verify()
    let shapes = rebatched.nodes.filter { $0.op.name == "broadcast" }.map {
      rebatched[$0.results[0]].shape
    }
    #expect(shapes == [[6, 6, 4, 4], [2, 6, 4, 4]])
    var random = RandomTensors(seed: .random(in: 0 ... .max))
    let values = rebatched.inputs.map { random.tensor($0.input.type.shape) }
    let failure = try difference(
      rebatched.evaluate(values)[0], from: body.graph(2).evaluate(values)[0],
      within: .accumulation)
    #expect(failure == nil)
  }

  /// Bodies of which images might have a part in each other's results.
  private static let mixing = [
    Body("a mean over the batch") { _, x in try x - x.mean(0).broadcast(to: x.shape) },
    Body("batch norm in training") { scope, x in
      let ones = scope.parameter("ones", [6], .ones)
      let mean = try x.mean(0, 2, 3)
      return try batchNorm(
        x, scale: ones, offset: ones, mean: mean, variance: ones, epsilon: 1e-3)
    },
    Body("batch norm by its own statistics") { scope, x in
      let ones = scope.parameter("ones", [6], .ones)
      return try batchNormTraining(x, scale: ones, offset: ones, epsilon: 1e-3).y
    },
    Body("activated batch norm") { scope, x in
      let ones = scope.parameter("ones", [6], .ones)
      let norm = ActivatedBatchNorm(epsilon: 1e-3, activation: nil)
      return try activatedBatchNorm(x, scale: ones, offset: ones, norm).y
    },
    Body("the gradient of batch norm") { scope, x in
      let ones = scope.parameter("ones", [6], .ones)
      return try batchNormGradient(
        x, scale: ones, mean: ones, variance: ones, gradient: x, epsilon: 1e-3)[0]
    },
    Body("the gradient of filters") { _, x in
      try convolutionFilterGradient(x, x, Convolution(), kernel: Size2D(1))
    },
    Body("running statistics") { scope, x in
      let mean = scope.state("mean", [6], .zeros)
      scope.update("mean", try mean * 0.9)
      return try x + mean.broadcast(to: x.shape, axes: [1])
    },
    Body("the batch at another axis") { _, x in try x.transposed([1, 0, 2, 3]) },
    Body("there and back") { _, x in
      try x.transposed([1, 0, 2, 3]).transposed([1, 0, 2, 3])
    },
    Body("every second image") { _, x in
      try x.sliced(from: [0, 0, 0, 0], to: x.shape.extents, by: [2, 1, 1, 1])
    },
    Body("all images but the first") { _, x in
      try x.sliced(from: [1, 0, 0, 0], to: x.shape.extents)
    },
    Body("padding by an image") { _, x in
      try x.padded(low: [1, 0, 0, 0], high: [0, 0, 0, 0])
    },
    Body("images beside each other") { _, x in try concatenate([x, x], axis: 0) },
    Body("images in one row") { _, x in try x.reshaped(to: [x.shape.elementCount]) },
    Body("the largest image") { _, x in try x.argMax(axis: 0) },
    Body("products between images") { _, x in
      let rows = try x.flattened()
      return try dot(rows, rows, transposesRight: true)
    },
    Body("products over images") { _, x in
      let rows = try x.flattened()
      return try dot(rows, rows, transposesLeft: true)
    },
    Body("images as filters") { _, x in try convolution(x, x, Convolution()) },
    Body("a parameter for each place in the batch") { scope, x in
      try x + scope.parameter("p", x.shape, .ones)
    },
    Body("numbers of images") { _, x in
      let shape = x.shape
      let numbers = try x.mean(0, 1, 2, 3).reshaped(to: [1]).broadcast(to: [shape[0]])
      return try x + numbers.broadcast(to: shape, axes: [0])
    },
    Body("images repeated along a new axis") { _, x in
      try x.mean(1, 2, 3).broadcast(to: [x.shape[0], x.shape[0]], axes: [1])
    },
    Body("nothing of the images") { scope, _ in scope.parameter("p", [6, 2], .ones) },
    Body("noise for the whole batch") { scope, x in
      try x * scope.random(.uniform, [1, 6, 4, 4]).broadcast(to: x.shape)
    },
  ]

  @Test("is refused where images may depend on each other", arguments: mixing)
  func refused(body: Body) throws {
    #expect(try body.graph(6).rebatched(to: 2) == nil)
  }

  @Test("is refused for values of their own for each place in the batch")
  func constants() throws {
    let type = TensorType(.float32, [6, 2])
    let rows: [(op: Op, isRefused: Bool)] = [
      (.iota(Iota(type, axis: 0)), true), (.iota(Iota(type, axis: 1)), false),
      (.constant(Constant(type, (0..<12).map(Double.init))), true),
      (.constant(Constant(type, repeating: 3)), false),
    ]
    for (op, isRefused) in rows {
      var graph = Graph()
      let x = try graph.append(.input(Input(.argument("x"), type)))[0]
      let other = try graph.append(op)[0]
      graph.output(.result("y"), try graph.append(.binary(.add), [x, other])[0])
      #expect((graph.rebatched(to: 3) == nil) == isRefused, "\(op)")
    }
  }

  @Test("does not exist without a batch, and not for none")
  func noBatch() throws {
    let one = try trace { ["y": try exp($0.argument("x", .float32, []))] }
    #expect(one.batch == nil && one.rebatched(to: 1) == nil)
    let two = try trace { scope in
      ["y": scope.argument("a", .float32, [2]), "z": scope.argument("b", .float32, [3])]
    }
    #expect(two.batch == nil && two.rebatched(to: 1) == nil)
    #expect(try Self.separable[0].graph(6).rebatched(to: 0) == nil)
  }

  @Test("gives each image of a random graph the result that it has in the batch")
  func random() throws {
    var count = 0
    for _ in 0..<300 {
      let seed = UInt64.random(in: 0 ... .max)
      let random = try RandomGraph(seed: seed)
      guard let single = random.graph.rebatched(to: 1) else { continue }
      count += 1
      try single.verify()
      let inputs = random.inputs()
      let whole = try random.graph.evaluate(inputs)
      // There and back is the same graph, type by type, but for values alike for all images, which
      // may be there twice.
      let back = try #require(random.graph.rebatched(to: 5)?.rebatched(to: 2), "seed \(seed)")
      let merge = Passes([.removeDead, .mergeCommon, .removeDead])
      #expect(try merge.run(back) == merge.run(random.graph), "seed \(seed)")
      for (got, expected) in zip(try back.evaluate(inputs), whole) {
        #expect(difference(got, from: expected, within: .exact) == nil, "seed \(seed)")
      }
      for image in 0..<2 {
        var parts = inputs
        parts[0] = part(inputs[0], image)
        for (got, expected) in zip(try single.evaluate(parts), whole) {
          let failure = difference(
            got, from: part(expected, image), within: Tolerance(relative: 1e-5, absolute: 1e-5))
          #expect(failure == nil, "seed \(seed)")
        }
      }
    }
    #expect(count >= 10)
  }

  /// One image of a tensor.
  private func part(_ tensor: HostTensor, _ image: Int) -> HostTensor {
    var shape = tensor.shape
    shape[0] = 1
    let size = shape.elementCount
    return HostTensor(shape, Array(tensor.floats[image * size..<(image + 1) * size]))
  }
}
