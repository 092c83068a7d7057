import ApusIR

extension OpCase {
  static let normalization: [OpCase] =
    [
      batchNorm([2, 5, 4, 3]), batchNorm([1, 16, 3, 3]), batchNorm([3, 17, 1, 1], epsilon: 1e-3),
      batchNorm([4, 6]), batchNorm([2, 3, 7]), batchNorm([1, 1, 5, 5], epsilon: 0.1),
      localResponseNorm([2, 7, 3, 4], size: 5), localResponseNorm([1, 6, 3, 3], size: 3),
      localResponseNorm([2, 2, 3, 3], size: 5), localResponseNorm([1, 1, 2, 2], size: 3),
      localResponseNorm([1, 4, 2, 3], size: 1),
      localResponseNorm([1, 16, 2, 2], size: 5, beta: 0.5, k: 2),
      localResponseNorm([2, 9, 2, 2], size: 5, alpha: 1e-4),
    ] + shapesInTraining.flatMap { training($0) } + mixedPrecision + activatedNorms
    + [
      localResponseNormGradient([2, 7, 3, 4], size: 5),
      localResponseNormGradient([2, 2, 3, 3], size: 5),
      localResponseNormGradient([1, 4, 2, 3], size: 1),
      localResponseNormGradient([1, 16, 2, 2], size: 3, beta: 0.5, k: 2),
    ]

  private static let shapesInTraining: [Shape] = [
    [2, 5, 4, 3], [1, 16, 3, 3], [3, 17, 2, 1], [7, 6], [4, 3, 7], [1, 1, 5, 5],
  ]

  /// Images of 16 bits, whose channels have their numbers in 32.
  private static let mixedPrecision: [OpCase] = training([2, 5, 4, 3]).map { row in
    let operands = row.operands.map { operand in
      operand.type.rank == 1
        ? operand : OperandSpec(TensorType(.bfloat16, operand.type.shape), operand.values)
    }
    return OpCase("\(row.name) in bfloat16", row.op, operands, .bfloat16)
  }

  /// A batch norm by the batch's statistics, and its gradients.
  private static func training(_ shape: Shape, epsilon: Double = 1e-3) -> [OpCase] {
    let channels: Shape = [shape[1]]
    let (x, scale, vector) = (
      OperandSpec.uniform(shape), OperandSpec.uniform(channels, 0.5...1.5),
      OperandSpec.uniform(channels)
    )
    return [
      OpCase(
        "batchNormTraining \(shape)", .batchNormTraining(BatchNormTraining(epsilon: epsilon)),
        [x, scale, vector], .accumulation),
      OpCase(
        "batchNormGradient \(shape)", .batchNormGradient(BatchNormGradient(epsilon: epsilon)),
        [x, scale, vector, .uniform(channels, 0.5...2), x], .accumulation),
    ]
  }

  private static let activatedNorms: [OpCase] = [
    (nil, [2, 5, 4, 3]), (.leakyRelu(slope: 0.01), [2, 5, 4, 3]), (.elu(alpha: 1), [2, 5, 4, 3]),
    (.leakyRelu(slope: 0.2), [1, 17, 3, 3]), (.elu(alpha: 0.5), [9, 4]),
  ].flatMap { (activation: Activation?, shape: Shape) in activated(activation, shape) }

  /// Scales of both signs; those of the gradients are not so small that the inversion blows
  /// roundings up.
  private static func activated(_ activation: Activation?, _ shape: Shape) -> [OpCase] {
    let norm = ActivatedBatchNorm(epsilon: 1e-3, activation: activation)
    let channels: Shape = [shape[1]]
    let name = "\(activation.map { "\($0)" } ?? "identity") \(shape)"
    let signs = OperandSpec(
      TensorType(.float32, channels), .listed([0.8, -0.6, 1.4, 0.5, -1.1]))
    return [
      OpCase(
        "activatedBatchNorm \(name)", .activatedBatchNorm(norm),
        [.uniform(shape), .uniform(channels), .uniform(channels)], .accumulation),
      OpCase(
        "activatedBatchNormGradient \(name)", .activatedBatchNormGradient(norm),
        [
          .uniform(shape, -0.4...2), signs, .uniform(channels, -0.5...0.5),
          .uniform(channels, 0.5...2), .uniform(shape),
        ], .accumulation),
    ]
  }

  private static func localResponseNormGradient(
    _ shape: Shape, size: Int, beta: Double = 0.75, k: Double = 1
  ) -> OpCase {
    let norm = LocalResponseNorm(size: size, alpha: 1.5, beta: beta, k: k)
    return OpCase(
      "localResponseNormGradient \(shape) size \(size)", .localResponseNormGradient(norm),
      [.uniform(shape), .uniform(shape)], .accumulation)
  }

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
