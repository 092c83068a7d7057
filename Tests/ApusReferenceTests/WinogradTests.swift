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
  func direct(points: [Double], padding: Padding2D) {
    let seed = UInt64.random(in: 0 ... .max)
    var tensors = RandomTensors(seed: seed)
    let operands = [tensors.tensor([2, 3, 7, 6]), tensors.tensor([4, 3, 3, 3])].map {
      ReferenceTensor(TensorType(.float64, $0.shape), rounding: $0.doubles)
    }
    let shape: Shape = [2, 4, 5 + padding.top + padding.bottom, 4 + padding.left + padding.right]
    let expected = Op.convolution(Convolution(padding: padding))
      .evaluate(operands, resultTypes: [TensorType(.float64, shape)])[0].values
    let twin = WinogradConvolution(points: points, padding: padding)
    let got = twin(operands[0], operands[1])
    #expect(got.count == expected.count)
    #expect(zip(got, expected).allSatisfy { ($0 - $1).magnitude < 1e-11 }, "seed \(seed)")
  }
}
