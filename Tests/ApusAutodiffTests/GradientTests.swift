import ApusAutodiff
import ApusIR
import ApusReference
import ApusRuntime
import ApusTensor
import ApusTestSupport
import Testing

@Suite("Gradients")
struct GradientTests {
  private let random = HostTensor([3], [1.5, -2, 0.25])

  @Test("add up over all uses of a value")
  func severalUses() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3])
      let y = try x * x + x
      return ["dx": try gradients(of: (y * x).sum(0), withRespectTo: [x])[0]]
    }
    // y · x = x³ + x²
    let expected = random.floats.map { 3 * $0 * $0 + 2 * $0 }
    #expect(try graph.evaluate([random])[0].floats == expected)
  }

  @Test("are zeros where the loss does not depend on a tensor, or not by a continuous function")
  func independent() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3])
      let other = scope.argument("other", .float32, [2, 2])
      let largest = try x.argMax(axis: 0).converted(to: .float32)
      let isPositive = try x.compared(.greater, x - 1).converted(to: .float32)
      let loss = try (isPositive.sum(0) + largest) * floor(x).sum(0)
      let result = try gradients(of: loss, withRespectTo: [x, other])
      return ["dx": result[0], "dother": result[1]]
    }
    let results = try graph.evaluate([random, HostTensor([2, 2], [1, 2, 3, 4])])
    #expect(results[0].floats == [0, 0, 0])
    #expect(results[1].floats == [0, 0, 0, 0])
  }

  @Test("are shared by equal maxima, and those of products reach factors beside a zero")
  func kinks() throws {
    func gradient(_ values: [Float], _ body: (Tensor) throws -> Tensor) throws -> [Float] {
      let graph = try trace { scope in
        let x = scope.argument("x", .float32, [values.count])
        return ["dx": try gradients(of: body(x), withRespectTo: [x])[0]]
      }
      return try graph.evaluate([HostTensor([values.count], values)])[0].floats
    }
    #expect(try gradient([2, 1, 2, -1]) { try $0.reduced(.max, axes: [0]) } == [0.5, 0, 0.5, 0])
    #expect(try gradient([3, 1, 2, 1]) { try $0.reduced(.min, axes: [0]) } == [0, 0.5, 0, 0.5])
    #expect(try gradient([1, 0, -1]) { try maximum($0, $0 * 0).sum(0) } == [1, 0.5, 0])
    #expect(try gradient([1, 0, -1]) { try minimum($0, $0 * 0).sum(0) } == [0, 0.5, 1])
    #expect(try gradient([1, 0, -1]) { try abs($0).sum(0) } == [1, 0, -1])
    let product = { (x: Tensor) throws in try x.reduced(.product, axes: [0]) }
    #expect(try gradient([2, 3, -4], product) == [-12, -8, 6])
    #expect(try gradient([2, 0, -4], product) == [0, -8, 0])
    #expect(try gradient([0, 3, 0], product) == [0, 0, 0])
    // The derivative of x⁰ and, by the exponent, that of 0ˣ.
    #expect(try gradient([0, 5]) { try pow($0, $0.filled(with: 0)).sum(0) } == [0, 0])
    #expect(try gradient([1, 2]) { try pow($0.filled(with: 0), $0).sum(0) } == [0, 0])
  }

  @Test("may be asked for what is between an input and the loss, and for the loss")
  func between() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3])
      let y = try exp(x)
      let loss = try (y * y).sum(0)
      let result = try gradients(of: loss, withRespectTo: [y, x, loss])
      return ["y": y, "dy": result[0], "dx": result[1], "dloss": result[2]]
    }
    let results = try graph.evaluate([random])
    let y = results[0].floats
    #expect(results[1].floats == y.map { 2 * $0 })
    #expect(zip(results[2].floats, y).allSatisfy { abs($0 - 2 * $1 * $1) <= 1e-6 * $0 })
    #expect(results[3].floats == [1])
  }

  @Test("of gradients are second derivatives, where ops have them")
  func second() throws {
    let graph = try trace { scope in
      let x = scope.argument("x", .float32, [3])
      let first = try gradients(of: (x * x * x).sum(0), withRespectTo: [x])[0]
      return ["second": try gradients(of: first.sum(0), withRespectTo: [x])[0]]
    }
    #expect(try graph.evaluate([random])[0].floats == random.floats.map { 6 * $0 })
  }

  /// Two convolutions with rectifiers, the first of them frozen or not, and their nodes.
  private func network(frozen: Bool) throws -> Graph {
    try trace(training: true) { scope in
      let x = scope.argument("images", .float32, [2, 3, 6, 6])
      let first = scope["stem"]["conv"].parameter("weight", [4, 3, 3, 3], .heNormal)
      let second = scope["head"].parameter("weight", [5, 4, 3, 3], .heNormal)
      let y = try relu(convolution(x, first, Convolution(padding: Padding2D(1))))
      let z = try relu(convolution(y, second, Convolution()))
      let loss = try (z * z).mean(0, 1, 2, 3)
      let wanted = frozen ? [second] : [second, first]
      let result = try gradients(of: loss, withRespectTo: wanted)
      return ["loss": loss, "gradient": result[0]]
    }
  }

  @Test("that nobody asks for cost nothing: a frozen stem has no backward half")
  func frozen() throws {
    let names = try network(frozen: true).nodes.map(\.op.name)
    #expect(names.count { $0 == "convolutionFilterGradient" } == 1)
    #expect(names.count { $0 == "convolutionInputGradient" } == 0)
    #expect(names.count { $0 == "reluGradient" } == 1)
    let all = try network(frozen: false).nodes.map(\.op.name)
    #expect(all.count { $0 == "convolutionFilterGradient" } == 2)
    // Nobody asks for the gradient of the images.
    #expect(all.count { $0 == "convolutionInputGradient" } == 1)
  }

  @Test("belong to the layers of what they differentiate")
  func layers() throws {
    let nodes = try network(frozen: false).nodes.filter { $0.op.name.hasSuffix("Gradient") }
    let paths = nodes.map { "\($0.path) \($0.op.name)" }
    #expect(
      paths == [
        "head reluGradient", "head convolutionInputGradient", "head convolutionFilterGradient",
        "stem.conv reluGradient", "stem.conv convolutionFilterGradient",
      ])
  }

  @Test(
    "are refused for what is not a scalar, for integers and for second derivatives of rectifiers")
  func errors() throws {
    func message(_ body: @escaping (Scope, Tensor) throws -> Void) -> String {
      do {
        _ = try trace { scope in
          let x = scope["block"].parameter("x", [3], .ones)
          try body(scope, x)
          return [:]
        }
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(
      message { _, x in _ = try gradients(of: x, withRespectTo: [x]) }
        == "gradients: the loss must be a scalar of floating-point numbers, got float32[3]")
    #expect(
      message { scope, x in
        let labels = scope.argument("labels", .int32, [3])
        _ = try gradients(of: x.sum(0), withRespectTo: [labels])
      }
        == "gradients: gradients must be asked for floating-point tensors of the loss's trace, got"
        + " int32[3]")
    #expect(
      message { _, x in
        let first = try gradients(of: relu(x * x).sum(0), withRespectTo: [x])[0]
        _ = try gradients(of: first.sum(0), withRespectTo: [x])
      }
        == "block: reluGradient: the loss must not depend on this gradient, got a loss that does,"
        + " whose gradient would be a second derivative\n"
        + "  operands: float32[3], float32[3]")
  }
}
