import ApusIR
import ApusReference
import ApusRuntime
import ApusTestSupport
import Testing

@Suite("Rounding to an element type")
struct RoundingTests {
  @Test("float16 rounds to nearest even in every range, as Swift's own type does")
  func float16() {
    var random = SplitMix64(seed: 11)
    var wrong: [Double] = []
    // Every value, the midpoint to the next, and points beside it.
    for bits in UInt16(0)..<Float16.infinity.bitPattern {
      let value = Double(Float16(bitPattern: bits))
      let next = Double(Float16(bitPattern: bits).nextUp)
      let middle = next.isFinite ? (value + next) / 2 : 65520
      let between = middle + Double.random(in: -1...1, using: &random) * (middle - value)
      let samples = [value, middle, between, -middle, middle.nextDown, middle.nextUp]
      let expected = samples.map { Double(Float16($0)) }
      if DType.float16.rounded(samples) != expected { wrong.append(value) }
    }
    #expect(wrong.isEmpty)
  }

  @Test("bfloat16 rounds to nearest even, overflows to infinity and keeps subnormal numbers")
  func bfloat16() {
    let rows: [(Double, Double)] = [
      (1, 1), (1.00390625, 1), (1.01171875, 1.015625), (1.00390626, 1.0078125),
      (-0.1, -0.10009765625),
      (3.3895313892515355e38, 3.3895313892515355e38), (0x1.FFp127, .infinity),
      (0x1.FEFFp127, 0x1.FEp127), (-1e39, -.infinity),
      (0x1p-133, 0x1p-133), (0x1p-134, 0), (0x1.8p-133, 0x1p-132), (0, 0), (.infinity, .infinity),
    ]
    #expect(DType.bfloat16.rounded(rows.map(\.0)) == rows.map(\.1))
    #expect(DType.bfloat16.rounded([.nan])[0].isNaN)
  }

  @Test("bfloat16 of a float32 is its upper half, rounded")
  func bfloat16Bits() {
    var random = SplitMix64(seed: 12)
    var wrong: [Float] = []
    for _ in 0..<100_000 {
      let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
      guard value.isFinite else { continue }
      let odd = value.bitPattern >> 16 & 1
      let expected = Float(bitPattern: (value.bitPattern + 0x7FFF + odd) & 0xFFFF_0000)
      if DType.bfloat16.rounded([Double(value)]) != [Double(expected)] { wrong.append(value) }
    }
    #expect(wrong.isEmpty)
  }

  @Test("Integers round toward zero, saturate, and take NaN for 0")
  func integers() {
    let values = [1.9, -1.9, 300, -300, .infinity, -.infinity, .nan, 1e30, -1e30]
    #expect(DType.int8.rounded(values) == [1, -1, 127, -128, 127, -128, 0, 127, -128])
    #expect(DType.uint8.rounded(values) == [1, 0, 255, 0, 255, 0, 0, 255, 0])
    #expect(DType.int16.rounded([40000, -40000]) == [32767, -32768])
    #expect(DType.int32.rounded([3e9, -3e9]) == [2_147_483_647, -2_147_483_648])
    #expect(
      HostTensor(TensorType(.int64, [3]), rounding: [1e19, -1e19, 5]).values(as: Int64.self)
        == [.max, .min, 5])
    #expect(DType.bool.rounded([0, -0.0, 0.1, -3, .nan]) == [0, 0, 1, 1, 1])
  }

  @Test("Every element type survives the way to the host and back", arguments: DType.allCases)
  func roundTrip(dtype: DType) {
    var random = SplitMix64(seed: 13)
    let values = (0..<500).map { _ in Double.random(in: -300...300, using: &random) }
    let tensor = ReferenceTensor(TensorType(dtype, [20, 25]), rounding: values)
    #expect(ReferenceTensor(HostTensor(tensor)) == tensor)
    #expect(HostTensor(tensor).withUnsafeBytes { $0.count } == 500 * dtype.sizeInBytes)
  }
}
