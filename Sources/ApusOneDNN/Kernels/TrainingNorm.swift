import ApusIR
import ApusPlan
import CKernels

/// A batch norm by the batch's statistics, with the addition and activation behind it.
struct TrainingNormKernel: TeamKernel {
  let kernel: TrainingNorm
  let hasResidual: Bool

  var implementation: String { "training norm:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var phases: Int { Int(kernel.phases) }

  var scratchSizeInBytes: Int { 8 * kernel.sumCount }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    var channels = TrainingNormChannels(
      scale: memory.floats(1), offset: memory.floats(2), mean: memory.result(1),
      variance: memory.result(2))
    kernel.run(
      images: memory.floats(0), channels: &channels,
      residual: hasResidual ? memory.floats(3) : nil, into: memory.result(),
      sums: memory.scratch?.assumingMemoryBound(to: Double.self), phase: Int32(phase),
      thread: thread)
  }
}

/// The gradients of a batch norm, through the activation behind it.
struct TrainingNormGradientKernel: TeamKernel {
  let kernel: TrainingNorm

  var implementation: String { "training norm:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var phases: Int { Int(kernel.phases) }

  var scratchSizeInBytes: Int { 8 * kernel.sumCount }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    var channels = TrainingNormChannels(
      scale: memory.floats(1), offset: memory.operands.count > 5 ? memory.floats(5) : nil,
      mean: UnsafeMutablePointer(mutating: memory.floats(2)),
      variance: UnsafeMutablePointer(mutating: memory.floats(3)))
    kernel.gradient(
      images: memory.floats(0), channels: &channels, dy: memory.floats(4),
      dscale: memory.result(1), doffset: memory.result(2), dx: memory.result(),
      sums: memory.scratch?.assumingMemoryBound(to: Double.self), phase: Int32(phase),
      thread: thread)
  }
}

extension OneDNNLibrary {
  /// The kernel of a step with what is fused into it; `nil` for what it cannot do.
  func trainingNorm(_ norm: BatchNormTraining, _ step: Step) -> TrainingNormKernel? {
    var activation: Activation?
    if case .activation(let last) = step.postOps.last { activation = last }
    return trainingNorm(step.operands[0], epsilon: norm.epsilon, activation).map {
      TrainingNormKernel(kernel: $0, hasResidual: step.operands.count > 3)
    }
  }

  /// The kernel of a gradient's step; `nil` for what it cannot do.
  func trainingNormGradient(
    _ norm: BatchNormGradient, _ step: Step
  ) -> TrainingNormGradientKernel? {
    trainingNorm(step.operands[0], epsilon: norm.epsilon, step.activation).map {
      TrainingNormGradientKernel(kernel: $0)
    }
  }

  func fuses(_ activation: Activation?, intoTrainingNormOf images: Operand) -> Bool {
    trainingNorm(images, epsilon: 1, activation) != nil
  }

  private func trainingNorm(
    _ images: Operand, epsilon: Double, _ activation: Activation?
  ) -> TrainingNorm? {
    let shape = images.type.shape
    guard let vectors, images.type.dtype == .float32, shape.rank == 4, isSmall(images),
      let strides = ImageStrides(images, vectors),
      let (fused, parameter) = activation.map(\.fused) ?? (.none, 0)
    else { return nil }
    var kernel = TrainingNorm()
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(shape[0]), Int32(shape[1]))
    kernel.pixels = shape[2] * shape[3]
    kernel.strides = strides
    kernel.epsilon = epsilon
    (kernel.activation, kernel.parameter) = (fused, parameter)
    kernel.threads = Int32(threads)
    return kernel.isValid ? kernel : nil
  }
}
