import ApusIR

extension OpCase {
  static let normalization: [OpCase] = [
    batchNorm([2, 5, 4, 3]), batchNorm([1, 16, 3, 3]), batchNorm([3, 17, 1, 1], epsilon: 1e-3),
    batchNorm([4, 6]), batchNorm([2, 3, 7]), batchNorm([1, 1, 5, 5], epsilon: 0.1),
    localResponseNorm([2, 7, 3, 4], size: 5), localResponseNorm([1, 6, 3, 3], size: 3),
    localResponseNorm([2, 2, 3, 3], size: 5), localResponseNorm([1, 1, 2, 2], size: 3),
    localResponseNorm([1, 4, 2, 3], size: 1),
    localResponseNorm([1, 16, 2, 2], size: 5, beta: 0.5, k: 2),
    localResponseNorm([2, 9, 2, 2], size: 5, alpha: 1e-4),
  ]

  private static func batchNorm(_ shape: Shape, epsilon: Double = 1e-5) -> OpCase {
    let channels: Shape = [shape[1]]
    return OpCase(
      "batchNorm \(shape)", .batchNorm(BatchNorm(epsilon: epsilon)),
      [
        .uniform(shape), .uniform(channels, 0.5...1.5), .uniform(channels), .uniform(channels),
        .uniform(channels, 0.1...2),
      ], .accumulation)
  }

  private static func localResponseNorm(
    _ shape: Shape, size: Int, alpha: Double = 1.5, beta: Double = 0.75, k: Double = 1
  ) -> OpCase {
    let norm = LocalResponseNorm(size: size, alpha: alpha, beta: beta, k: k)
    return OpCase(
      "localResponseNorm \(shape) size \(size)", .localResponseNorm(norm), [.uniform(shape)],
      .accumulation)
  }
}
