import ApusIR
import ApusRuntime

/// A small generator whose sequence is the same on every machine
/// (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", figure 17).
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Tensors of random values, reproducible by their seed.
public struct RandomTensors: Sendable {
  private var generator: SplitMix64

  public init(seed: UInt64) { generator = SplitMix64(seed: seed) }

  /// A tensor with values as specified, rounded to its element type.
  public mutating func tensor(_ spec: OperandSpec) -> HostTensor {
    HostTensor(spec.type, rounding: values(spec.values, count: spec.type.elementCount))
  }

  /// A `float32` tensor with values uniform in a range.
  public mutating func tensor(
    _ shape: Shape, in range: ClosedRange<Double> = -1...1
  ) -> HostTensor {
    tensor(.uniform(shape, range))
  }

  private mutating func values(_ values: OperandSpec.Values, count: Int) -> [Double] {
    switch values {
    case .uniform(let range):
      return (0..<count).map { _ in Double.random(in: range, using: &generator) }
    case .integers(let range):
      return (0..<count).map { _ in Double(Int.random(in: range, using: &generator)) }
    case .distinct(let range):
      let step = (range.upperBound - range.lowerBound) / Double(max(count - 1, 1))
      return (0..<count).map { range.lowerBound + Double($0) * step }.shuffled(using: &generator)
    case .listed(let values):
      return (0..<count).map { values[$0 % values.count] }
    }
  }
}
