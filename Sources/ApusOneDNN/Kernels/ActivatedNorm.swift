import ApusIR
import ApusPlan
import CKernels

/// A batch norm by the batch's statistics with its activation.
struct ActivatedNormKernel: TeamKernel {
  let kernel: ActivatedNorm

  var implementation: String { "activated norm:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var phases: Int { 3 }

  /// Sums of each thread.
  var scratchSizeInBytes: Int { 8 * kernel.sumCount }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    let sums = memory.scratch?.assumingMemoryBound(to: Double.self)
    switch phase {
    case 0: kernel.measure(images: memory.floats(0), into: sums, thread: thread)
    case 1:
      kernel.finish(
        sums: sums, mean: memory.result(1), variance: memory.result(2), thread: thread)
    default:
      kernel.run(
        images: memory.floats(0), scale: memory.floats(1), offset: memory.floats(2),
        mean: memory.result(1), variance: memory.result(2), into: memory.result(), thread: thread)
    }
  }
}

/// The gradients of what ``ActivatedNormKernel`` reads, from what it made.
struct ActivatedNormGradientKernel: TeamKernel {
  let kernel: ActivatedNorm

  var implementation: String { "activated norm:\(kernel.vectors.name)" }

  var threads: Int { Int(kernel.threads) }

  var phases: Int { 3 }

  var scratchSizeInBytes: Int { 8 * kernel.sumCount }

  func run(_ memory: KernelMemory, phase: Int, thread: Int32) {
    let sums = memory.scratch?.assumingMemoryBound(to: Double.self)
    switch phase {
    case 0:
      kernel.sumGradients(
        y: memory.floats(0), scale: memory.floats(1), offset: memory.floats(2),
        dy: memory.floats(4), into: sums, thread: thread)
    case 1:
      kernel.finishGradients(
        sums: sums, scale: memory.floats(1), dscale: memory.result(1),
        doffset: memory.result(2), thread: thread)
    default:
      kernel.gradient(
        y: memory.floats(0), scale: memory.floats(1), offset: memory.floats(2),
        variance: memory.floats(3), dy: memory.floats(4), dscale: memory.result(1),
        doffset: memory.result(2), dx: memory.result(), thread: thread)
    }
  }
}

extension OneDNNLibrary {
  func activatedNorm(_ norm: ActivatedBatchNorm, _ step: Step) -> ActivatedNormKernel? {
    kernel(norm, .activatedBatchNorm(norm), step).map { ActivatedNormKernel(kernel: $0) }
  }

  func activatedNormGradient(
    _ norm: ActivatedBatchNorm, _ step: Step
  ) -> ActivatedNormGradientKernel? {
    kernel(norm, .activatedBatchNormGradient(norm), step).map {
      ActivatedNormGradientKernel(kernel: $0)
    }
  }

  private func kernel(_ norm: ActivatedBatchNorm, _ op: Op, _ step: Step) -> ActivatedNorm? {
    guard hasKernel(for: op, on: step.operands.map(\.type)), let vectors = Vectors.effective,
      let strides = ChannelBlocks(step.operands[0]), isSmall(step)
    else { return nil }
    let shape = step.operands[0].type.shape
    var kernel = ActivatedNorm()
    kernel.vectors = vectors
    (kernel.images, kernel.channels) = (Int32(shape[0]), Int32(shape[1]))
    kernel.pixels = shape.rank == 4 ? shape[2] * shape[3] : 1
    kernel.strides = strides
    kernel.epsilon = norm.epsilon
    guard let (activation, parameter) = norm.activation.map(\.fused) ?? (.none, 0) else {
      return nil
    }
    (kernel.activation, kernel.parameter) = (activation, parameter)
    kernel.threads = Int32(threads)
    return kernel
  }
}
