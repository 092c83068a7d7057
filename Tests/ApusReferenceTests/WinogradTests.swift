import ApusIR
import ApusReference
import ApusTestSupport
import Testing

@Suite("The twin of the Winograd kernel")
struct WinogradTests {
  @Test(
    "gives the direct convolution, whatever its points",
    arguments: [
      [0, 1, -1], [0, 1, -1, 2, -2], [0, 0.6875, -0.6875, 1.5, -1.5], [3, 1, 0.5, -2],
    ],
    [Padding2D(0), Padding2D(1), Padding2D(top: 2, left: 0, bottom: 1, right: 2)])
  func direct(points: [Double], padding: Padding2D) throws {
    try check(Size2D(3), points, padding)
  }

  @Test(
    "takes filters that are a row, a column or larger",
    arguments: [Size2D(1, 3), Size2D(1, 5), Size2D(5, 1), Size2D(4, 1), Size2D(5)])
  func filters(filter: Size2D) throws {
    let padding = Padding2D(top: 2, left: 0, bottom: 1, right: 2)
    try check(filter, [0, 0.5, -0.5, 1, -1, 2, -2], padding)
  }

  private func check(_ filter: Size2D, _ points: [Double], _ padding: Padding2D) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var tensors = RandomTensors(seed: seed)
    let shapes: [Shape] = [[2, 3, 7, 6], [4, 3, filter.height, filter.width]]
    let operands = shapes.map { shape in
      ReferenceTensor(TensorType(.float64, shape), rounding: tensors.tensor(shape).doubles)
    }
    let op = Op.convolution(Convolution(padding: padding))
    let types = try op.resultTypes(operands.map(\.type))
    let expected = op.evaluate(operands, resultTypes: types)[0].values
    let twin = WinogradConvolution(points: points, filter: filter, padding: padding)
    let got = twin(operands[0], operands[1])
    #expect(got.count == expected.count)
    #expect(zip(got, expected).allSatisfy { ($0 - $1).magnitude < 1e-11 }, "seed \(seed)")
  }
}
