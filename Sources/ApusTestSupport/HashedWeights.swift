import ApusIR
import ApusRuntime

/// Weights and images computed from an integer hash, bit for bit as `Peers/weights.py` does.
///
/// FNV-1a-64 of the path starts a splitmix64 generator (Steele, Lea, Flood, OOPSLA 2014), whose
/// output number `i` gives the value of element `i`. Offset and scale follow from the path's last
/// word and the shape; logits of different images differ by more than a tenth in every ResNet.
public enum HashedWeights {
  /// A parameter's values, row-major, from its path (`layer1.0.bn1.running_var`) and shape.
  public static func values(path: String, shape: Shape) -> [Float] {
    Array(unsafeUninitializedCapacity: shape.elementCount) { buffer, count in
      fill(buffer, path: path, shape: shape)
      count = shape.elementCount
    }
  }

  /// A parameter as a `float32` tensor.
  public static func tensor(path: String, shape: Shape) -> HostTensor {
    HostTensor(TensorType(.float32, shape)) { bytes in
      fill(bytes.bindMemory(to: Float.self), path: path, shape: shape)
    }
  }

  /// The numbers in [-1, 1) that belong to a path.
  public static func signed(path: String, count: Int) -> [Double] {
    let hash = HashSequence(path: path)
    return (0..<count).map(hash.signed)
  }

  /// Images `[n, 3, h, w]` with the range of normalised ones: cells of colour, finer and finer.
  ///
  /// - Parameter size: height and width in pixels.
  public static func images(batch: Int, size: Int) -> HostTensor {
    let levels = imageLevels.map { cells, amplitude in
      let side = cells == 0 ? 1 : (size + cells - 1) / cells
      let count = (size + side - 1) / side
      let hash = HashSequence(path: "images.\(cells)")
      let colours = (0..<batch * 3 * count * count).map { amplitude * hash.signed(at: $0) }
      return (side: side, count: count, colours: colours)
    }
    var pixels: [Float] = []
    pixels.reserveCapacity(batch * 3 * size * size)
    for plane in 0..<batch * 3 {
      for y in 0..<size {
        for x in 0..<size {
          // Sums of these amplitudes times 24-bit fractions are exact, so their order is free.
          var sum = 0.0
          for level in levels {
            let row = plane * level.count + y / level.side
            sum += level.colours[row * level.count + x / level.side]
          }
          pixels.append(Float(sum))
        }
      }
    }
    return HostTensor([batch, 3, size, size], pixels)
  }

  /// Amplitudes of the colour cells an image is made of, by the cells along one side (0: pixels).
  private static let imageLevels = [(1, 2.0), (4, 0.5), (14, 0.25), (0, 0.125)]

  private static func fill(
    _ values: UnsafeMutableBufferPointer<Float>, path: String, shape: Shape
  ) {
    let hash = HashSequence(path: path)
    let (offset, scale) = distribution(path: path, shape: shape)
    for index in 0..<shape.elementCount {
      values.initializeElement(at: index, to: Float(offset + scale * hash.signed(at: index)))
    }
  }

  private static func distribution(path: String, shape: Shape) -> (offset: Double, scale: Double) {
    if shape.rank >= 2 {  // convolution [o, c, h, w] or linear [o, c]: He's uniform bound
      let fanIn = shape.dropFirst().reduce(1, *)
      return (0, (6 / Double(fanIn)).squareRoot())
    }
    switch path.split(separator: ".").last {
    case "weight": return (0.5, 0.3)
    case "running_var": return (1, 0.3)
    default: return (0, 0.02)
    }
  }
}

/// The numbers that belong to one path, each computed by itself.
private struct HashSequence {
  private let state: UInt64

  init(path: String) {
    state = path.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// Number `index` (from 0), in [-1, 1) and a multiple of 2⁻²³.
  @inline(__always)
  func signed(at index: Int) -> Double {
    var z = state &+ UInt64(truncatingIfNeeded: index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return Double(Int64(z >> 40)) * 0x1p-23 - 1
  }
}
