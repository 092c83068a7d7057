import ApusIR
import ApusTensor

/// A bound on the gradients of a step.
public struct GradientClipping: Hashable, Sendable {
  private enum Kind: Hashable { case globalNorm, value }
  private let kind: Kind
  private let limit: Double

  /// Scales all gradients by one factor so that their common norm is at most `limit`
  /// (Pascanu et al. 2013, arXiv 1211.5063), as PyTorch's `clip_grad_norm_`.
  public static func globalNorm(_ limit: Double) throws(SettingError) -> GradientClipping {
    try GradientClipping(.globalNorm, limit)
  }

  /// Brings each element of each gradient into `±limit`, as PyTorch's `clip_grad_value_`.
  public static func value(_ limit: Double) throws(SettingError) -> GradientClipping {
    try GradientClipping(.value, limit)
  }

  private init(_ kind: Kind, _ limit: Double) throws(SettingError) {
    try requireSetting(limit > 0, "gradient clipping", "the limit must be above 0", got: limit)
    self.kind = kind
    self.limit = limit
  }

  func callAsFunction(_ gradients: [Tensor]) throws -> [Tensor] {
    if gradients.isEmpty { return [] }
    switch kind {
    case .value:
      return try gradients.map { gradient in
        let lowest = try gradient.filled(with: -limit)
        return try minimum(maximum(gradient, lowest), gradient.filled(with: limit))
      }
    case .globalNorm:
      let factor = try limit / (norm(of: gradients) + 1e-6)
      let bounded = try minimum(factor, factor.filled(with: 1))
      return try gradients.map { try $0 * bounded }
    }
  }
}

/// √Σ x², the norm of all tensors as if they were one vector: `[]`.
///
/// - C1: there is at least one tensor.
public func norm(of tensors: [Tensor]) throws -> Tensor {
  if tensors.isEmpty {
    throw GraphError(
      path: "", op: "norm",
      violation: Violation(
        constraint: "C1", requirement: "there must be at least one tensor", given: "none"),
      operands: [])
  }
  let squares = try tensors.map { try ($0 * $0).reduced(.sum, axes: Array($0.shape.indices)) }
  return try sqrt(squares.dropFirst().reduce(squares[0]) { try $0 + $1 })
}
