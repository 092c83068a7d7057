import ApusIR

extension ConstraintTests {
  static let gradients: [ViolationRow] =
    inputGradients + filterGradients + poolGradients + activationGradients + trainingNorms

  private static func inputGradient(
    _ constraint: String, _ convolution: Convolution = Convolution(), images: Size2D = Size2D(5),
    on operands: TensorType...
  ) -> ViolationRow {
    let gradient = ConvolutionInputGradient(convolution, images: images)
    return ViolationRow(
      "ConvolutionInputGradient", constraint, .convolutionInputGradient(gradient), operands)
  }

  private static let inputGradients: [ViolationRow] = [
    inputGradient("C0", on: f32(1, 4, 3, 3)),
    inputGradient("C1", on: f32(4, 3, 3), f32(4, 3, 3, 3)),
    inputGradient("C1", on: f32(1, 4, 3, 3), TensorType(.float16, [4, 3, 3, 3])),
    inputGradient("C1", on: i32(1, 4, 3, 3), i32(4, 3, 3, 3)),
    inputGradient("C2", Convolution(groups: 3), on: f32(1, 4, 3, 3), f32(4, 3, 3, 3)),
    inputGradient("C2", Convolution(groups: 0), on: f32(1, 4, 3, 3), f32(4, 3, 3, 3)),
    inputGradient("C3", images: Size2D(5, 0), on: f32(1, 4, 3, 3), f32(4, 3, 3, 3)),
    inputGradient("C3", images: Size2D(.max), on: f32(1, 4, 3, 3), f32(4, 3, 3, 3)),
    inputGradient("C4", on: f32(1, 5, 3, 3), f32(4, 3, 3, 3)),
    inputGradient("C4", images: Size2D(6), on: f32(1, 4, 3, 3), f32(4, 3, 3, 3)),
    inputGradient(
      "W1", Convolution(stride: Size2D(0)), on: f32(1, 4, 3, 3), f32(4, 3, 3, 3)),
    inputGradient(
      "W2", Convolution(padding: Padding2D(-1)), on: f32(1, 4, 3, 3), f32(4, 3, 3, 3)),
    inputGradient("W3", images: Size2D(2), on: f32(1, 4, 3, 3), f32(4, 3, 3, 3)),
  ]

  private static func filterGradient(
    _ constraint: String, _ convolution: Convolution = Convolution(), kernel: Size2D = Size2D(3),
    on operands: TensorType...
  ) -> ViolationRow {
    let gradient = ConvolutionFilterGradient(convolution, kernel: kernel)
    return ViolationRow(
      "ConvolutionFilterGradient", constraint, .convolutionFilterGradient(gradient), operands)
  }

  private static let filterGradients: [ViolationRow] = [
    filterGradient("C0", on: f32(1, 3, 5, 5)),
    filterGradient("C1", on: f32(1, 3, 5, 5), f32(4, 3, 3)),
    filterGradient("C1", on: f32(1, 3, 5, 5), TensorType(.float64, [1, 4, 3, 3])),
    filterGradient("C2", Convolution(groups: 3), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient("C2", Convolution(groups: 2), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient("C2", Convolution(groups: -1), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient("C3", kernel: Size2D(0), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient("C3", kernel: Size2D(.max), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient("C4", on: f32(2, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient("C4", kernel: Size2D(2), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient(
      "W1", Convolution(dilation: Size2D(0)), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient(
      "W2", Convolution(padding: Padding2D(-1)), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
    filterGradient("W3", kernel: Size2D(6), on: f32(1, 3, 5, 5), f32(1, 4, 3, 3)),
  ]

  private static func poolGradient(
    _ constraint: String, _ kind: Pool.Kind = .max, kernel: Int = 2, stride: Int = 2,
    padding: Int = 0, images: Size2D = Size2D(4), on operands: TensorType...
  ) -> ViolationRow {
    let pool = Pool(
      kind, kernel: Size2D(kernel), stride: Size2D(stride), padding: Padding2D(padding))
    return ViolationRow(
      "PoolGradient", constraint, .poolGradient(PoolGradient(pool, images: images)), operands)
  }

  private static let average = Pool.Kind.average(countsPadding: false)

  private static let poolGradients: [ViolationRow] = [
    poolGradient("C0", on: f32(1, 3, 2, 2)),
    poolGradient("C0", average, on: f32(1, 3, 4, 4), f32(1, 3, 2, 2)),
    poolGradient("C1", on: f32(1, 3, 4, 4), f32(3, 2, 2)),
    poolGradient("C1", on: f32(1, 3, 4, 4), TensorType(.float64, [1, 3, 2, 2])),
    poolGradient("C1", average, on: i32(1, 3, 2, 2)),
    poolGradient("C2", on: f32(1, 3, 4, 5), f32(1, 3, 2, 2)),
    poolGradient("C2", average, images: Size2D(0), on: f32(1, 3, 2, 2)),
    poolGradient("C3", on: f32(1, 3, 4, 4), f32(1, 3, 2, 1)),
    poolGradient("C3", average, images: Size2D(8), on: f32(1, 3, 2, 2)),
    poolGradient("C4", padding: 2, on: f32(1, 3, 4, 4), f32(1, 3, 2, 2)),
    poolGradient("W1", average, kernel: 0, on: f32(1, 3, 2, 2)),
    poolGradient("W2", average, padding: -1, on: f32(1, 3, 2, 2)),
    poolGradient("W3", average, kernel: 5, on: f32(1, 3, 2, 2)),
  ]

  private static func activationGradient(
    _ constraint: String, on operands: TensorType...
  ) -> ViolationRow {
    ViolationRow("ActivationGradient", constraint, .activationGradient(.relu), operands)
  }

  private static let activationGradients: [ViolationRow] = [
    activationGradient("C0", on: f32(2)),
    activationGradient("C1", on: i32(2), i32(2)),
    activationGradient("C2", on: f32(2), f32(3)),
    activationGradient("C2", on: f32(2), TensorType(.float16, [2])),
  ]

  private static func norm(
    _ subject: String, _ constraint: String, epsilon: Double = 1, activation: Activation? = nil,
    on operands: TensorType...
  ) -> ViolationRow {
    let activated = ActivatedBatchNorm(epsilon: epsilon, activation: activation)
    let op: Op =
      switch subject {
      case "BatchNormTraining": .batchNormTraining(BatchNormTraining(epsilon: epsilon))
      case "BatchNormGradient": .batchNormGradient(BatchNormGradient(epsilon: epsilon))
      case "ActivatedBatchNorm": .activatedBatchNorm(activated)
      case "ActivatedBatchNormGradient": .activatedBatchNormGradient(activated)
      default: .localResponseNormGradient(LocalResponseNorm(k: epsilon))
      }
    return ViolationRow(subject, constraint, op, operands)
  }

  private static let trainingNorms: [ViolationRow] =
    ["BatchNormTraining", "ActivatedBatchNorm"].flatMap { subject in
      [
        norm(subject, "C0", on: f32(2, 3), f32(3)),
        norm(subject, "C1", on: f32(3), f32(3), f32(3)),
        norm(subject, "C1", on: i32(2, 3), i32(3), i32(3)),
        norm(subject, "C2", on: f32(2, 3), f32(3), f32(2)),
        norm(subject, "C2", on: TensorType(.float16, [2, 3]), f32(3), TensorType(.float16, [3])),
        norm(subject, "C3", epsilon: 0, on: f32(2, 3), f32(3), f32(3)),
        norm(subject, "C3", epsilon: .nan, on: f32(2, 3), f32(3), f32(3)),
      ]
    }
    + ["BatchNormGradient", "ActivatedBatchNormGradient"].flatMap { subject in
      [
        norm(subject, "C0", on: f32(2, 3), f32(3), f32(3), f32(3)),
        norm(subject, "C1", on: f32(3), f32(3), f32(3), f32(3), f32(3)),
        norm(subject, "C2", on: f32(2, 3), f32(3), f32(3), f32(1), f32(2, 3)),
        norm(subject, "C3", epsilon: -1, on: f32(2, 3), f32(3), f32(3), f32(3), f32(2, 3)),
      ]
    }
    + [
      norm("BatchNormGradient", "C4", on: f32(2, 3), f32(3), f32(3), f32(3), f32(1, 3)),
      norm("ActivatedBatchNorm", "C4", activation: .relu, on: f32(2, 3), f32(3), f32(3)),
      norm(
        "ActivatedBatchNorm", "C4", activation: .leakyRelu(slope: 0), on: f32(2, 3), f32(3), f32(3)),
      norm(
        "ActivatedBatchNormGradient", "C4", activation: .elu(alpha: -1), on: f32(2, 3), f32(3),
        f32(3), f32(3), f32(2, 3)),
      norm("ActivatedBatchNormGradient", "C5", on: f32(2, 3), f32(3), f32(3), f32(3), f32(2)),
      norm("LocalResponseNormGradient", "C0", on: f32(1, 2, 3, 4)),
      norm("LocalResponseNormGradient", "C1", on: f32(2, 3, 4), f32(2, 3, 4)),
      norm("LocalResponseNormGradient", "C2", epsilon: 0, on: f32(1, 2, 3, 4), f32(1, 2, 3, 4)),
      norm("LocalResponseNormGradient", "C3", on: f32(1, 2, 3, 4), f32(1, 2, 3, 5)),
    ]
}
