import ApusIR
import ApusRuntime
import ApusTestSupport
import Testing

@Suite("Comparing tensors")
struct DifferenceTests {
  private let expected = HostTensor([2, 2], [1, -100, 0, 3])

  @Test("accepts what is within the tolerance of the largest magnitude")
  func within() {
    let got = HostTensor([2, 2], [1.0625, -100, -0.0625, 3])
    #expect(difference(got, from: expected, within: Tolerance(relative: 1e-3)) == nil)
    #expect(difference(got, from: expected, within: Tolerance(relative: 0, absolute: 0.07)) == nil)
    #expect(difference(expected, from: expected, within: .exact) == nil)
  }

  @Test("names the worst element, and how many are wrong")
  func worst() {
    let got = HostTensor([2, 2], [1.0625, -100, -2, 3])
    let tolerance = Tolerance(relative: 0, absolute: 0.03125)
    #expect(
      difference(got, from: expected, within: tolerance)
        == "element [1, 0]: expected 0.0, got -2.0, 2.0 apart where 0.03125 is allowed "
        + "(2 of 4 elements are further apart than that)")
  }

  @Test("never takes NaN or an infinity for a number, whatever the tolerance")
  func notANumber() {
    let all = Tolerance(relative: 1e30, absolute: 1e30)
    let values: [Float] = [0, .nan, .infinity, -.infinity]
    for a in values {
      for b in values {
        let same = a == b || (a.isNaN && b.isNaN)
        let message = difference(HostTensor([1], [a]), from: HostTensor([1], [b]), within: all)
        #expect((message == nil) == same, "\(a) and \(b)")
      }
    }
  }

  @Test("refuses other types")
  func types() {
    #expect(
      difference(HostTensor([4], [1, -100, 0, 3]), from: expected, within: .exact)
        == "expected a float32[2, 2], got a float32[4]")
  }

  @Test("shows the lines in which texts differ")
  func texts() {
    #expect(difference("a\nb\nc", from: "a\nb\nc") == nil)
    #expect(difference("a\nx\nc", from: "a\nb\nc") == "-2: b\n+2: x")
  }
}

@Suite("Random tensors")
struct RandomTensorTests {
  @Test("follow the published sequence")
  func sequence() {
    var generator = SplitMix64(seed: 1_234_567)
    let values = (0..<3).map { _ in generator.next() }
    #expect(
      values == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }

  @Test("stay in their range, and distinct values are distinct")
  func ranges() {
    var random = RandomTensors(seed: 9)
    let uniform = random.tensor([1000], in: -2...3).floats
    #expect(uniform.allSatisfy { -2 <= $0 && $0 <= 3 })
    #expect(uniform.contains { $0 < -1.5 } && uniform.contains { $0 > 2.5 })
    let type = TensorType(.float32, [500])
    let distinct = random.tensor(OperandSpec(type, .distinct(-1...1))).floats
    #expect(Set(distinct).count == 500 && distinct != distinct.sorted())
    let whole = random.tensor(OperandSpec(type, .integers(-2...2))).floats
    #expect(Set(whole) == [-2, -1, 0, 1, 2])
  }
}
