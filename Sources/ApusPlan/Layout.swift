import ApusIR

/// How a tensor's elements lie in memory.
public enum Layout: Hashable, Sendable {
  /// Dense, the last axis innermost: `[n, c, h, w]` as written.
  case rowMajor
  /// Images with the channels innermost: `n, h, w, c`.
  case channelsLast
  /// Images with blocks of channels innermost: `n, c/block, h, w, block`; the last block is padded
  /// with zeros.
  case blocked(Int)
  /// A layout that only the kernel library understands, by its name for it.
  case native(String, sizeInBytes: Int)
  /// Not chosen yet: the kernel library chooses when it resolves the step.
  case any

  /// Bytes of a tensor in this layout.
  public func sizeInBytes(of type: TensorType) -> Int {
    switch self {
    case .rowMajor, .channelsLast: type.sizeInBytes
    case .blocked(let block):
      type.sizeInBytes / type.shape[1] * ((type.shape[1] + block - 1) / block * block)
    case .native(_, let sizeInBytes): sizeInBytes
    case .any: 0
    }
  }

  /// Whether the elements of such a tensor lie in memory exactly as row-major.
  public func isRowMajor(for shape: Shape) -> Bool {
    switch self {
    case .rowMajor: true
    case .channelsLast: shape[2] == 1 && shape[3] == 1 || shape[1] == 1
    case .blocked(let block): shape[2] == 1 && shape[3] == 1 && shape[1] % block == 0
    case .native, .any: false
    }
  }
}

extension Layout: CustomStringConvertible {
  public var description: String {
    switch self {
    case .rowMajor: "plain"
    case .channelsLast: "nhwc"
    case .blocked(let block): "nChw\(block)c"
    case .native(let name, _): name
    case .any: "any"
    }
  }
}
