import ApusIR
import Foundation

/// A stream of random numbers that is the same on every machine (SplitMix64, Steele et al. 2014).
public struct RandomSource: Sendable {
  /// Where the stream is: one that begins there goes on with the same numbers.
  public private(set) var state: UInt64

  /// Continues a stream from a state it was in.
  public init(state: UInt64) { self.state = state }

  /// - Parameter stream: streams of different names are independent.
  public init(seed: UInt64, stream: String = "") {
    // FNV-1a keeps streams apart; one more step of the generator mixes it with the seed.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    state = hash ^ (seed &* 0x9e37_79b9_7f4a_7c15)
    state = next()
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Uniform in `[0, 1)`.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Normal with mean 0 and standard deviation 1 (Box and Muller 1958).
  public mutating func normals(_ count: Int) -> [Float] {
    Array(unsafeUninitializedCapacity: count) { values, initialized in
      fillNormal(UnsafeMutableBufferPointer(rebasing: values[..<count]))
      initialized = count
    }
  }

  /// Writes normals with mean 0 and standard deviation 1.
  mutating func fillNormal(_ values: UnsafeMutableBufferPointer<Float>) {
    for index in stride(from: 0, to: values.count, by: 2) {
      let radius = (-2 * logf(1 - uniform())).squareRoot()
      let angle = 2 * Float.pi * uniform()
      values[index] = radius * cosf(angle)
      if index + 1 < values.count { values[index + 1] = radius * sinf(angle) }
    }
  }

  /// A tensor drawn from a distribution, rounded to its element type.
  public mutating func tensor(_ distribution: Distribution, _ type: TensorType) -> HostTensor {
    guard type.dtype == .float32 else {
      let values = tensor(distribution, TensorType(.float32, type.shape)).doubles
      return HostTensor(type, rounding: values)
    }
    return HostTensor(pagesOf: type.shape) { values in
      switch distribution {
      case .normal: fillNormal(values)
      case .uniform: for index in values.indices { values[index] = uniform() }
      case .bernoulli(let p):
        for index in values.indices { values[index] = Double(uniform()) < p ? 1 : 0 }
      }
    }
  }
}
