import ApusIR

/// Why a graph cannot be written as asked for.
public enum EmitError: Error, Hashable, Sendable {
  /// What orders are given for.
  public enum Side: String, Hashable, Sendable { case inputs, outputs }

  case wrongOrderCount(Side, expected: Int, got: Int)
  /// An order is not a permutation of the axes.
  case invalidOrder(Side, index: Int, type: TensorType, order: [Int])
}

extension EmitError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongOrderCount(let side, let expected, let got):
      "StableHLO: there must be one order for each of the graph's \(expected) \(side.rawValue),"
        + " got \(got)"
    case .invalidOrder(let side, let index, let type, let order):
      "StableHLO: \(side.rawValue)[\(index)]: the order must be a permutation of the axes of"
        + " \(type), got \(order)"
    }
  }
}
