import ApusIR
import Testing

@Suite("Costs")
struct CostTests {
  private func macs(_ op: Op, _ operands: TensorType...) throws -> Int {
    op.macs(operands, try op.resultTypes(operands))
  }

  @Test("count a filter for each output of a convolution")
  func convolution() throws {
    let first = Convolution(stride: Size2D(2), padding: Padding2D(3))
    #expect(
      try macs(.convolution(first), f32(1, 3, 224, 224), f32(64, 3, 7, 7)) == 118_013_952)
    let grouped = Convolution(padding: Padding2D(1), groups: 4)
    #expect(
      try macs(.convolution(grouped), f32(2, 8, 5, 5), f32(12, 2, 3, 3), f32(12))
        == 2 * 12 * 25 * 18)
  }

  @Test("are the same for the gradients of a convolution")
  func convolutionGradients() throws {
    let convolution = Convolution(stride: Size2D(2), padding: Padding2D(1), groups: 4)
    let (images, filters, results) = (f32(2, 8, 6, 5), f32(12, 2, 3, 3), f32(2, 12, 3, 3))
    let forward = try macs(.convolution(convolution), images, filters)
    #expect(forward == 2 * 12 * 9 * 18)
    let input = ConvolutionInputGradient(convolution, images: Size2D(6, 5))
    #expect(try macs(.convolutionInputGradient(input), results, filters) == forward)
    let filter = ConvolutionFilterGradient(convolution, kernel: Size2D(3))
    #expect(try macs(.convolutionFilterGradient(filter), images, results) == forward)
  }

  @Test("count the contracted extent for each output of a product")
  func dot() throws {
    #expect(
      try macs(.dot(Dot(transposesRight: true)), f32(3, 2048), f32(1000, 2048)) == 6_144_000)
    #expect(try macs(.dot(Dot(transposesLeft: true)), f32(5, 7, 2), f32(5, 7, 3)) == 5 * 2 * 7 * 3)
    #expect(try macs(.unary(.exp), f32(100)) == 0)
  }

  @Test("add up over a graph, and count what is trained")
  func graph() throws {
    var graph = Graph()
    let x = try graph.append(.input(Input(.argument("x"), f32(4, 6))))[0]
    let w = try graph.append(.input(Input(.parameter("w"), f32(5, 6))))[0]
    try graph.append(.input(Input(.state("mean"), f32(5))))
    let y = try graph.append(.dot(Dot(transposesRight: true)), [x, w])[0]
    try graph.append(.dot(Dot()), [y, w])
    #expect(graph.macs == 4 * 6 * 5 + 4 * 5 * 6)
    #expect(graph.parameterCount == 30)
  }

  @Test("saturate instead of overflowing")
  func huge() throws {
    let side = 1 << 22
    let large = Dot()
    #expect(try macs(.dot(large), f32(side, side), f32(side, side)) == Int.max)
    var graph = Graph()
    let x = try graph.append(.input(Input(.argument("x"), f32(side, side))))[0]
    for _ in 0..<3 { try graph.append(.dot(large), [x, x]) }
    #expect(graph.macs == Int.max)
  }

  @Test("steps and strides of any size do not trap")
  func hugeSteps() throws {
    let slice = Slice(starts: [1], ends: [3], steps: [.max])
    #expect(try Op.slice(slice).resultTypes([f32(5)]) == [f32(1)])
    #expect(Shape([1 << 40, 1 << 40]).checkedElementCount == nil)
    #expect(Shape([-1, 2]).checkedElementCount == nil)
    #expect(Shape([]).checkedElementCount == 1)
  }
}
