import ApusIR
import ApusRuntime
import Testing

@Suite("Converting a tensor to narrower numbers")
struct ConversionTests {
  @Test("gives the bits of rounding each value by itself", arguments: [DType.bfloat16, .float16])
  func rounding(dtype: DType) {
    // Halfway cases, ends of the range, subnormal numbers, and any bits at all.
    let special: [Float] = [
      0, -0.0, 1, 1.003_906_25, 1.011_718_75, 1.000_488_281_25, 65_504, 65_519, 65_520, 6e-8, 3e-8,
      .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity,
    ]
    let random = (0..<2000).map { _ in Float(bitPattern: .random(in: 0 ... .max)) }
    let values = (special + random).filter { !$0.isNaN }
    let tensor = HostTensor([values.count], values)
    let expected = HostTensor(TensorType(dtype, tensor.shape), rounding: tensor.doubles)
    #expect(tensor.converted(to: dtype).isIdentical(to: expected))
  }

  @Test("keeps NaN what it is", arguments: [DType.bfloat16, .float16])
  func nan(dtype: DType) {
    // A NaN whose upper bits alone would be an infinity.
    let tensor = HostTensor([2], [Float.nan, Float(bitPattern: 0x7F80_0001)])
    #expect(tensor.converted(to: dtype).doubles.allSatisfy { $0.isNaN })
  }
}
